"""Asks a server for its commands and prints them, one a line: spec/commands/redis-7.0.json.

    python3 tools/gen/collect_commands.py 127.0.0.1 15200 > spec/commands/redis-7.0.json
"""

import json
import socket
import sys


def read_value(stream):
    """One RESP2 or RESP3 value; maps become dictionaries, the rest lists, texts and numbers."""
    line = stream.readline().rstrip(b"\r\n")
    kind, rest = line[:1], line[1:]
    if kind in b"+-":
        return rest.decode()
    if kind in b":":
        return int(rest)
    if kind in b"$":
        text = stream.read(int(rest) + 2)[:-2]
        return text.decode()
    if kind in b"*~":
        return [read_value(stream) for _ in range(int(rest))]
    if kind in b"%":
        return {read_value(stream): read_value(stream) for _ in range(int(rest))}
    if kind in b"_":
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
        "tips": tips,
        "since": doc.get("since", ""),
        "group": doc.get("group", ""),
        **({"subcommands": True} if children else {}),
    }
    for child in children:
        yield from rows(child, doc.get("subcommands", {}))


def main():
    host, port = sys.argv[1], int(sys.argv[2])
    with socket.create_connection((host, port), timeout=10) as connection:
        stream = connection.makefile("rwb")
        server = ask(stream, "HELLO", "3")
        docs = ask(stream, "COMMAND", "DOCS")
        found = [row for info in ask(stream, "COMMAND") for row in rows(info, docs)]
    found.sort(key=lambda row: row["name"])
    print(f'{{"server": "{server["server"]} {server["version"]}", "commands": [')
    print(",\n".join(json.dumps(row) for row in found))
    print("]}")


if __name__ == "__main__":
    main()
