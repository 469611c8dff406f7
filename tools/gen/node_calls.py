"""The calls of the generated tests: one per row of spec/surface/node.txt and per case of its
result, with values of the fixture."""

import json

import node_signatures
import node_table
import surface

DEFAULTS = {
    "integer": "1",
    "double": "1",
    "unix-time": "4000000000",
    "pattern": "*",
    "string": "value",
}


class Values:
    """Gives each argument of one call its value."""

    def __init__(self, fixture, row, fact):
        self.fixture, self.row, self.fact = fixture, row, fact
        self.keys = 0

    def key(self, name):
        command, group = self.row.command, self.fact.get("group", "generic")
        value = self.fixture.value(command, name) if name in ("destination", "newkey") else None
        if value is None:
            value = self.fixture.key(command, group, self.keys)
        self.keys += 1
        return value

    def of(self, argument):
        name, token = argument["name"], argument.get("token")
        kind = argument["type"]
        if kind == "pure-token":
            return [token] if token else []
        if kind == "oneof":
            inner = self.of(argument["arguments"][0])
        elif kind == "block":
            inner = [
                word
                for each in argument["arguments"]
                if not each.get("optional")
                for word in self.of(each)
            ]
        elif kind == "key":
            inner = [self.key(name)]
        else:
            value = self.fixture.value(self.row.command, name)
            inner = [DEFAULTS[kind] if value is None else value]
        return ([token] if token else []) + inner

    def chosen(self, argument, words):
        """As `of`, with the alternative that has one of `words`; None when there is none."""
        if argument["name"] in words or argument.get("token") in words:
            arguments = argument.get("arguments", [])
            deeper = [
                each for each in arguments if each["name"] in words or each.get("token") in words
            ]
            return (
                [argument["token"]] + self.of(deeper[0])
                if deeper and argument.get("token")
                else self.of(argument)
            )
        for inner in argument.get("arguments", []):
            found = self.chosen(inner, words)
            if found is not None:
                if argument["type"] != "block":
                    return found
                others = [
                    self.of(each) if each is not inner else found
                    for each in argument["arguments"]
                    if each is inner or not each.get("optional")
                ]
                return [word for each in others for word in each]
        return None


def from_facts(fixture, row, fact, words):
    """The arguments of one call by the facts, with the options that `words` name."""
    values = Values(fixture, row, fact)
    found = []
    for argument in fact.get("arguments", []):
        wanted = values.chosen(argument, words)
        if wanted is not None:
            found += wanted
        elif not argument.get("optional"):
            found += values.of(argument)
    return found


def from_row(fixture, row, words):
    """The arguments of a command no facts are known of."""
    found = []
    for form in [form for form in node_signatures.forms(row, {})][:1]:
        for item in form:
            for element in item.alternatives[0][1]:
                if element.kind.startswith("'"):
                    found.append(element.kind.split(" | ")[0].strip("'"))
                elif element.kind == "RedisKey":
                    found.append("{t}string")
                elif not element.is_rest:
                    found.append("1")
    return found[1:] if row.subcommand else found


def arguments_of(fixture, row, facts, words):
    fact = facts.get(row.command, {})
    extra = []
    if row.values is not None:
        if words:
            with_words = from_facts(fixture, row, fact, words)
            plain = from_facts(fixture, row, fact, set())
            extra = [word for word in with_words if word not in plain]
        if extra and row.method == "zadd":
            return [row.values[0], *extra, *row.values[1:]]
        return [word.replace("\\u0020", " ") for word in row.values] + extra
    if row.parameters is not None:
        return from_row(fixture, row, words)
    return from_facts(fixture, row, fact, words)


def is_newer(fact):
    """Whether the servers of the tests may not know a command."""
    return fact is None or tuple(map(int, fact["since"].split("."))) >= (7, 1, 0)


def calls(root, rows, facts):
    fixture = surface.Fixture(root)
    for row in rows:
        if row.hand is not None:
            continue
        for wanted, tree in [([set()], row.result), *row.cases]:
            for words in wanted:
                call = {
                    "section": row.section,
                    "method": row.method,
                    "command": row.command,
                    "args": ([row.subcommand] if row.subcommand else [])
                    + arguments_of(fixture, row, facts, words),
                    "shape": node_table.shape(tree),
                }
                error = row.error or fixture.error(row.command)
                if error:
                    call["error"] = error
                if row.is_alone or fixture.is_alone(row.command):
                    call["alone"] = True
                flags = facts.get(row.command, {}).get("flags", [])
                if "readonly" not in flags:
                    call["changes"] = True
                if "blocking" in flags:
                    call["blocks"] = True
                if is_newer(facts.get(row.command)) or words and row.parameters is not None:
                    call["newer"] = True
                yield call


def source(root, rows, facts, notice):
    fixture = surface.Fixture(root)
    lines = [f"  {json.dumps(call)}," for call in calls(root, rows, facts)]
    make = [f"  {json.dumps(command)}," for command in fixture.make]
    return (
        f"'use strict';\n/** {notice} */\n\n"
        f"const FIXTURE_KEYS = {json.dumps(fixture.keys)};\n\n"
        "const FIXTURE = [\n" + "\n".join(make) + "\n];\n\n"
        "/* Every method with its arguments and the shape of its result. */\n"
        "const CALLS = [\n" + "\n".join(lines) + "\n];\n\n"
        "module.exports = { FIXTURE_KEYS, FIXTURE, CALLS };\n"
    )
