"""Asks a real server for the keys of many commands; its answers are what test_command.c expects.

    cd tests/unit && python3 collect_command_keys.py 127.0.0.1 15200 | clang-format > command_keys.h
"""

import json
import pathlib
import socket
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/gen"))

from collect_commands import ask  # noqa: E402

# Where the place of the keys depends on the arguments, one line per way to write it.
WRITTEN = """
get k
GeT k
mset a 1 b 2 c 3
msetnx a 1 b 2
del a b c
blpop a b 0
brpop a 1.5
blmove a b LEFT RIGHT 0
blmpop 0 2 a b LEFT
blmpop 0 1 a LEFT COUNT 3
bzmpop 0 2 a b MIN
lmpop 2 a b LEFT
zmpop 1 a MAX COUNT 2
sintercard 2 a b LIMIT 3
zintercard 2 a b
zunion 2 a b WITHSCORES
zdiff 3 a b c
zinter 2 a b WEIGHTS 1 2
zunionstore d 2 a b WEIGHTS 2 3 AGGREGATE MAX
zinterstore d 1 a
zdiffstore d 2 a b
zrangestore d s 0 -1
eval return 0
eval return 2 a b x
evalsha ffff 1 a x y
eval_ro return 1 a
evalsha_ro ffff 3 a b c
fcall f 2 a b x
fcall_ro f 1 a
eval return 3 a b
eval return -1 a
eval return x a
eval return 99999999999 a
xread STREAMS a b 0 0
xread COUNT 2 BLOCK 100 STREAMS a 0
xread streams a b c 1 2 3
xreadgroup GROUP g c STREAMS a >
xreadgroup GROUP STREAMS c COUNT 1 NOACK STREAMS a b > >
xreadgroup GROUP g STREAMS BLOCK 0 STREAMS a >
xgroup CREATE a g $ MKSTREAM
xgroup SETID a g 0
xinfo STREAM a FULL
xinfo GROUPS a
sort a
sort a STORE b
sort a BY w_* LIMIT 0 5 GET o_* GET # ASC ALPHA STORE b
sort a BY STORE GET STORE
sort a BY STORE STORE b
sort a STORE b STORE c
sort_ro a BY w_*
georadius a 1 2 3 m
georadius a 1 2 3 m STORE b
georadius a 1 2 3 m COUNT 3 ASC STOREDIST b
georadiusbymember a m 3 km STORE b
georadius_ro a 1 2 3 m
geosearchstore d s FROMLONLAT 1 2 BYRADIUS 3 m
migrate h 6379 a 0 1000
migrate h 6379 a 0 1000 COPY REPLACE
migrate h 6379 @ 0 1000 KEYS a b c
migrate h 6379 @ 0 1000 REPLACE AUTH keys KEYS a b
migrate h 6379 @ 0 1000 AUTH2 keys keys KEYS a
object ENCODING a
object freq a
memory USAGE a SAMPLES 5
debug OBJECT a
bitop AND d a b c
pfcount a b
pfmerge d a b
copy a b REPLACE
rename a b
lcs a b LEN
set a 1 EX 10 NX
getex a PERSIST
watch a b
touch a b
unlink a
exists a b a
smove a b m
sdiffstore d a b
hset a f v f2 v2
ping
publish c m
subscribe a b
scan 0
select 1
config GET a
info
multi
wait 1 100
cluster KEYSLOT a
"""


def sample(row):
    """Plain arguments for a command whose keys stand at fixed places."""
    words = row["name"].split("|")
    count = abs(row["arity"]) + (2 if row["arity"] < 0 else 0)
    return words + [f"a{number}" for number in range(len(words), count)]


def calls():
    for line in WRITTEN.strip().splitlines():
        yield ["" if word == "@" else word for word in line.split(" ")]
    commands = json.loads((ROOT / "spec/commands/redis-7.0.json").read_text())["commands"]
    for row in commands:
        kinds = [(spec["begin"][0], spec["find"][0]) for spec in row["keys"]]
        fixed = all(kind == ("index", "range") for kind in kinds)
        if row["keys"] and fixed and not any("not_key" in spec["flags"] for spec in row["keys"]):
            yield sample(row)


def main():
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=10) as connection:
        stream = connection.makefile("rwb")
        server = ask(stream, "HELLO", "3")
        print(f"/* What COMMAND GETKEYS of {server['server']} {server['version']} answered; "
              "written by collect_command_keys.py. */")
        print("static const struct key_case key_cases[] = {")
        for call in calls():
            keys = ask(stream, "COMMAND", "GETKEYS", *call)
            words = ", ".join(json.dumps(word) for word in call)
            texts = ", ".join(json.dumps(key) for key in keys) if isinstance(keys, list) else ""
            count = len(keys) if isinstance(keys, list) else 0
            note = "" if isinstance(keys, list) else f" /* {keys.replace('*/', '')} */"
            keep = f"{{{texts}}}" if texts else "{0}"
            print(f"    {{{{{words}}}, {len(call)}, {keep}, {count}}},{note}")
        print("};")


if __name__ == "__main__":
    main()
