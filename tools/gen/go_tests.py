"""Writes one test case for each method of the Go binding; bindings/go/surface_test.go runs them."""

import re

import surface
from go_code import Writer

# Parameters that have another name in spec/commands/fixture.json.
ALIASES = {
    "dst": "destination", "dest": "destination", "destKey": "destination", "store": "destination",
    "fields": "field", "members": "member", "values": "value", "message": "value", "els": "element",
    "ids": "id", "decrement": "increment", "incr": "increment", "channels": "channel",
}  # fmt: skip
KEYS = {"key", "keys", "stream", "source", "sourceKey"}
FIXED = {"time.Time": "later", "Time": "later", "Duration": "time.Minute", "bool": "true"}


class Arguments:
    """Chooses the arguments of a method's test from the fixture."""

    def __init__(self, fixture, known):
        self.fixture, self.known = fixture, known

    def of(self, method, command):
        if method.test or not method.params:
            return method.test
        return ", ".join(self.one(method, command, param) for param in method.params)

    def one(self, method, command, param):
        group = self.known.get(command, {}).get("group")
        kind = param.type.removeprefix("...")
        if kind in FIXED and param.name != "timeout":
            return FIXED[kind]
        if param.name == "timeout":
            return "time.Second"
        if param.name in KEYS:
            keys = [self.fixture.key(command, group)]
            second = self.fixture.key(command, group, 1)
            if param.type.startswith("...") and second != keys[0]:
                keys.append(second)
            return ", ".join(f'"{key}"' for key in keys)
        if param.name == "match":
            return '""'
        value = self.fixture.value(command, ALIASES.get(param.name, param.name))
        if kind in ("string", "any"):
            if value is None:
                raise SystemExit(f"go.txt: {method.name} needs a test value for {param.name}")
            return f'"{value}"'
        return value if value and re.fullmatch(r"-?[0-9.]+", value) else "2"


def cases(root, table, known, command_of):
    out = Writer("redis_test", ['redis "tendon.dev/redis"'])
    arguments = Arguments(surface.Fixture(root), known)
    for name, receiver, kind in (
        ("commandCases", "cmdable", "redis.Cmdable"),
        ("statefulCases", "statefulCmdable", "redis.StatefulCmdable"),
        ("waitingCases", "waiting", "*redis.Client"),
    ):
        lines = [f"var {name} = []surfaceCase[{kind}]{{"]
        for group in table.groups:
            if receiver not in (group.receiver, group.name) or (
                group.name == "waiting" and receiver != "waiting"
            ):
                continue
            for method in group.methods:
                if "untested" not in method.marks:
                    lines.append(case(table, method, command_of(method), arguments, kind))
        out.add(f"// {name} call every method once.", *lines, "}")
    # The runners of other languages use the same servers at the same time.
    return out.text().replace("{t}", "{go}")


def case(table, method, command, arguments, kind):
    result = table.results.get(method.result)
    types = ", ".join(result.types) if result else ""
    marks = {name: value for name, value in method.marks.items() if name != "error"}
    failure = method.marks.get("error", "")
    given = arguments.of(method, command)
    given = f", {given}" if given else ""
    return (
        f'\t{{"{method.name}", "{types}", "{" ".join(marks)}", "{failure}",\n'
        f"\t\tfunc(ctx context.Context, c {kind}) redis.Cmder {{\n"
        f"\t\t\treturn c.{method.name}(ctx{given})\n\t\t}}}},"
    )
