"""Asks a server for its commands and prints what it says of them: spec/commands/<server>.json.

    python3 tools/gen/collect_commands.py 127.0.0.1 15200 > spec/commands/redis-7.0.json
    python3 tools/gen/collect_commands.py --compare 127.0.0.1 15200

With --compare it prints instead what that server would add to the specification, a line for each
command, option, flag, tip and key specification that spec/commands lacks or says otherwise.
COMMAND has arity, flags, keys and tips; COMMAND DOCS has the texts and the arguments.
"""

import argparse
import json
import pathlib
import socket

import surface

TEXTS = ["summary", "since", "group", "complexity", "deprecated_since", "replaced_by"]
LISTED = ["keys", "arguments", "history"]  # one line for each of their elements


def read_value(stream):
    """One RESP2 or RESP3 value; maps become dictionaries, the rest lists, texts and numbers."""
    line = stream.readline().rstrip(b"\r\n")
    kind, rest = line[:1], line[1:]
    if kind == b"-":
        raise SystemExit(f"the server answered {rest.decode()!r}")
    if kind == b"+":
        return rest.decode()
    if kind == b":":
        return int(rest)
    if kind in b"$=":
        text = stream.read(int(rest) + 2)[:-2].decode()
        return text if kind == b"$" else text[4:]
    if kind in b"*~":
        return [read_value(stream) for _ in range(int(rest))]
    if kind == b"%":
        return {read_value(stream): read_value(stream) for _ in range(int(rest))}
    if kind == b"_":
        return None
    raise SystemExit(f"the server answered {line!r}")


def ask(stream, *words):
    parts = [f"*{len(words)}\r\n"] + [f"${len(word)}\r\n{word}\r\n" for word in words]
    stream.write("".join(parts).encode())
    stream.flush()
    return read_value(stream)


def key_spec(spec):
    """{"begin": ["index", 1], "find": ["range", last, step, limit], "flags": [...]}"""
    begin, find = spec["begin_search"], spec["find_keys"]
    order = {
        "index": ["index"],
        "keyword": ["keyword", "startfrom"],
        "range": ["lastkey", "keystep", "limit"],
        "keynum": ["keynumidx", "firstkey", "keystep"],
        "unknown": [],
    }
    return {
        "begin": [begin["type"]] + [begin["spec"][name] for name in order[begin["type"]]],
        "find": [find["type"]] + [find["spec"][name] for name in order[find["type"]]],
        "flags": sorted(spec["flags"]),
    }


def argument(said):
    """One argument as in COMMAND DOCS; `optional`, `multiple` and `multiple_token` are flags."""
    kept = ["name", "type", "token", "key_spec_index", "since", "deprecated_since"]
    found = {name: said[name] for name in kept if name in said}
    found.update({flag: True for flag in sorted(said.get("flags", []))})
    if "arguments" in said:
        found["arguments"] = [argument(child) for child in said["arguments"]]
    return found


def documentation(doc):
    found = {name: doc[name].strip() for name in TEXTS if name in doc}
    if doc.get("history"):
        found["history"] = [[version, text] for version, text in doc["history"]]
    if doc.get("arguments"):
        found["arguments"] = [argument(said) for said in doc["arguments"]]
    return found


def rows(info, docs):
    name, arity, flags, first, last, step, _, tips, keys, children = info
    doc = docs.get(name, {})
    yield {
        "name": name.upper(),
        "arity": arity,
        "flags": sorted(flags),
        "first": first,
        "last": last,
        "step": step,
        "keys": [key_spec(spec) for spec in keys],
        "tips": sorted(tips),
        "since": "",
        "group": "",
        **documentation(doc),
        **({"subcommands": True} if children else {}),
    }
    for child in sorted(children):
        yield from rows(child, doc.get("subcommands", {}))


def collect(host, port):
    """(name and version of the server, its commands in the order of their names)"""
    with socket.create_connection((host, port), timeout=10) as connection:
        stream = connection.makefile("rwb")
        hello = ask(stream, "HELLO", "3")
        docs = ask(stream, "COMMAND", "DOCS")
        found = [row for info in ask(stream, "COMMAND") for row in rows(info, docs)]
        about = ask(stream, "INFO", "server")
    fields = dict(line.split(":", 1) for line in about.split("\r\n") if ":" in line)
    name = fields.get("server_name", hello["server"])
    version = fields.get(f"{name}_version", hello["version"])
    return f"{name} {version}", sorted(found, key=lambda row: row["name"])


def row_text(row):
    """A command in lines that a person and a diff can read."""
    lines = []
    for field, value in row.items():
        if field in LISTED and value:
            inner = ",\n".join(f"    {json.dumps(one, ensure_ascii=False)}" for one in value)
            lines.append(f'  "{field}": [\n{inner}\n  ]')
        else:
            lines.append(f'  "{field}": {json.dumps(value, ensure_ascii=False)}')
    return "{\n" + ",\n".join(lines) + "\n}"


def document(server, found):
    texts = ",\n".join(row_text(row) for row in found)
    return f'{{"server": "{server}", "commands": [\n{texts}\n]}}\n'


def option_words(arguments):
    """Every word a command takes, and the types of its values. Servers name values as they like."""
    found = set()
    for one in arguments:
        if "token" in one:
            found.add(one["token"] or '""')
        elif "arguments" not in one:
            found.add(f"a value of type {one['type']}")
        found |= option_words(one.get("arguments", []))
    return found


def differences(known, row):
    """The lines of what `row` says beyond `known`, or otherwise."""
    for field in ("arity", "group"):
        if row[field] != known[field]:
            yield f"{field} {row[field]} instead of {known[field]}"
    for field in ("flags", "tips"):
        for word in sorted(set(row[field]) - set(known[field])):
            yield f"{field} has {word}"
        for word in sorted(set(known[field]) - set(row[field])):
            yield f"{field} lacks {word}"
    if [spec["begin"] + spec["find"] for spec in row["keys"]] != [
        spec["begin"] + spec["find"] for spec in known["keys"]
    ]:
        yield "finds its keys otherwise"
    said, had = (option_words(one.get("arguments", [])) for one in (row, known))
    for word in sorted(said - had):
        yield f"takes {word}"
    if "deprecated_since" in row and "deprecated_since" not in known:
        yield f"deprecated since {row['deprecated_since']}"


def compare(known, found):
    """A line for each thing that the specification lacks or says otherwise."""
    lines = []
    for row in found:
        name = row["name"].replace("|", " ")
        if row["name"] not in known:
            lines.append(f"{name}: new since {row['since'] or '?'}: {row.get('summary', '')}")
            continue
        lines += [f"{name}: {line}" for line in differences(known[row["name"]], row)]
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--compare", action="store_true", help="print what it would add")
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    arguments = parser.parse_args()
    server, found = collect(arguments.host, arguments.port)
    if not arguments.compare:
        print(document(server, found), end="")
        return
    lines = compare(surface.facts(pathlib.Path(__file__).resolve().parents[2]), found)
    print("\n".join([f"{server}: {len(lines)} differences", *lines]))


if __name__ == "__main__":
    main()
