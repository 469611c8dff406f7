"""Runs programs with every driver and compares: with the model, with each other, and the server's
state at the end.
"""

import collections
import json
import pathlib
import time

import accepted
import interpret
import natives
import programs
import wire
import worlds
from driver import Stuck
from kinds import kinds_of
from model_base import ANY

KINDS_FILE = pathlib.Path(__file__).resolve().parent / "natives.json"
# After so many of one driver the rest is a consequence of the first.
DIFFERENCES_MAX = 5


class Difference:
    """One thing that is not as it should be."""

    def __init__(self, driver, place, area, text):
        self.driver, self.place, self.area, self.text = driver, place, area, text

    def __str__(self):
        where = "" if self.place is None else f" {self.place[0]}.{self.place[1]}"
        return f"{self.driver}{where} ({self.area}): {self.text}"


class Outcome:
    """What one program gave in one environment."""

    def __init__(self):
        self.differences = []
        self.checked = collections.Counter()  # (driver, area) -> results compared
        self.accepted = collections.Counter()  # reason -> how often
        self.seconds = collections.Counter()  # driver -> how long it took

    def differs(self, *words):
        self.differences.append(Difference(*words))


def area_of(words):
    """What of the library an instruction is about."""
    name = words[0].decode()
    if name not in ("command", "method"):
        return name.replace("-end", "")
    word = words[2].lstrip(b"=").upper()
    for area, names in AREAS.items():
        if word in names:
            return area
    return "keys"


AREAS = {
    "strings": b"GET SET SETEX SETNX MSETNX GETDEL APPEND STRLEN GETRANGE SETRANGE".split()
    + b"INCR DECR INCRBY DECRBY GETSET".split()
    + b"SETBIT GETBIT BITCOUNT INCRBYFLOAT".split(),
    "hashes": b"HSET HGET HMGET HGETALL HDEL HINCRBY HEXISTS HLEN HKEYS HSETNX HSTRLEN".split(),
    "lists": b"LPUSH RPUSH RPUSHX LPOP RPOP LRANGE LLEN LINDEX LSET LREM LTRIM LMOVE BLPOP".split(),
    "sets": b"SADD SREM SMEMBERS SCARD SISMEMBER SMISMEMBER SINTER SUNION SDIFF SMOVE".split(),
    "sorted sets": b"ZADD ZSCORE ZINCRBY ZRANGE ZRANGE_WITHSCORES ZRANK ZCARD ZREM ZCOUNT".split(),
    "scripts": b"EVAL EVALSHA".split(),
    "publish": b"PUBLISH SPUBLISH".split(),
}


class Run:
    """One program, one environment, every driver."""

    def __init__(self, environment, program, known_kinds, record=False):
        self.environment = environment
        self.program = environment.fill_in(program)
        self.expected = interpret.expected(program, environment.is_cluster)
        self.known_kinds = known_kinds
        self.record = record
        self.outcome = Outcome()

    def words(self, place):
        return self.program[place[0]][place[1]]

    def run(self, driver):
        """What the driver reported; None when it got stuck."""
        self.environment.clean()
        begun = time.monotonic()
        try:
            got = driver.run(self.program)
            self.outcome.seconds[driver.name] += time.monotonic() - begun
            return got
        except Stuck as stuck:
            if driver.is_peer:  # a mirrored client that hangs is no defect of ours
                self.outcome.accepted[driver.name, "It hung, or ended, in this program."] += 1
                return None
            self.outcome.differs(driver.name, None, "driver", str(stuck))
            return None

    def follow(self, crew, names, seed):
        """Runs all drivers behind a faulty network: each outcome must be a possible one."""
        for driver in crew.in_turn(names):
            self.environment.proxy.begin(seed)
            got = self.run(driver)
            if got is not None:
                self.judge(driver, self.canonical(driver, got))
        return self.outcome

    def judge(self, driver, replies):
        for place, reply in replies.items():
            if driver.name != "c" and is_dishonest(reply):
                text = f"{reply!r} does not say whether it was executed"
                self.tell(driver, place, text, reply)
        judge = worlds.Judge(self.program, self.environment.is_cluster, replies)
        for index, text in judge.judge():
            self.tell(driver, (0, index), text, None)

    def compare(self, crew, names):
        """Runs all drivers; the outcome says what differs."""
        found = {}
        for driver in crew.in_turn(names):
            got = self.run(driver)
            if got is not None:
                found[driver.name] = got, self.environment.state()
        first = first_state = None
        for driver in (crew.kinds[name] for name in names if name in found):
            got, state = found[driver.name]
            replies = self.canonical(driver, got)
            self.hold_against_model(driver, replies)
            if first is None:
                first, first_state = (driver, replies), state
            else:
                self.hold_against_driver(driver, replies, *first)
                self.hold_states(driver, state, first[0], first_state)
        return self.outcome

    def canonical(self, driver, got):
        """place -> canonical reply, of what has its shape and a kind that the driver may give."""
        replies = {}
        for place in sorted(set(self.expected) | set(got)):
            area = area_of(self.words(place))
            self.outcome.checked[driver.name, area] += 1
            if place not in self.expected and self.environment.proxy:
                continue  # what usually says nothing has failed
            if place not in got or place not in self.expected:
                text = "no result" if place not in got else f"a result too many: {got[place]!r}"
                self.outcome.differs(driver.name, place, area, text)
                continue
            shape = self.expected[place].shape
            try:
                replies[place] = natives.canonical(shape, got[place])
            except natives.Mismatch:
                self.tell(driver, place, f"not of shape {shape}: {got[place]!r}", got[place])
                continue
            self.look_at_kinds(driver, place, shape, got[place])
        return replies

    def look_at_kinds(self, driver, place, shape, value):
        """A driver gives for one command always the same native types."""
        words = self.words(place)
        if words[0] not in (b"command", b"method") or isinstance(value, wire.Failure):
            return
        # What a script gives is its own affair; integers beyond 2^53 are text in Node.
        if shape == "any" or area_of(words) == "scripts" or shape == "int" and is_big(value):
            return
        form = f"{words[0].decode()} {words[2].lstrip(b'=').decode('latin-1').lower()}"
        form += " scores" if shape == "pairs" else ""
        known = self.known_kinds.setdefault(form, {}).setdefault(driver.name, [])
        new = sorted(kinds_of(value) - set(known))
        if new and self.record:
            known[:] = sorted([*known, *new])
        elif new and known and not driver.is_peer:
            self.tell(driver, place, f"never seen before: {', '.join(new)}: {value!r}", value)

    def tell(self, driver, place, text, got):
        """A difference, if it is not an accepted one."""
        words = self.words(place)
        reason = accepted.reason(driver, self.environment, words, self.expected[place], got)
        if reason:
            self.outcome.accepted[driver.name, reason] += 1
            return
        if (
            sum(other.driver == driver.name for other in self.outcome.differences)
            >= DIFFERENCES_MAX
        ):
            return
        shown = " ".join(map(wire.escaped, words))
        self.outcome.differs(driver.name, place, area_of(words), f"{shown[:160]}: {text[:600]}")

    def hold_against_model(self, driver, replies):
        for place, reply in replies.items():
            expected = self.expected[place].value
            if not natives.same(expected, reply):
                self.tell(driver, place, f"{reply!r} instead of {expected!r}", reply)

    def hold_against_driver(self, driver, replies, first, first_replies):
        for place, reply in replies.items():
            other = first_replies.get(place, reply)
            if not self.alike(driver, place, reply, other):
                self.tell(driver, place, f"{reply!r}, but {first.name} gave {other!r}", reply)

    def alike(self, driver, place, reply, other):
        expected = self.expected[place].value
        both_failed = isinstance(reply, natives.Error) and isinstance(other, natives.Error)
        if isinstance(expected, natives.Local):
            # Each is held against the model; what is none of its errors is a known difference.
            if not both_failed or expected.kind == "closed":
                return True
            return reply.executed == other.executed or driver.is_peer or driver.name == "c"
        if both_failed and driver.is_peer:
            return expected is not ANY or reply.code == other.code
        if both_failed:
            # In C a server's error is a reply like others, which says nothing of executed.
            return reply == other or driver.name == "c" and reply[:2] == other[:2]
        if isinstance(reply, list) and isinstance(other, list):
            return len(reply) == len(other) and all(
                self.alike(driver, place, *pair) for pair in zip(reply, other)
            )
        return reply == other and isinstance(reply, float) == isinstance(other, float)

    def hold_states(self, driver, state, first, first_state):
        for key in sorted(set(state) | set(first_state)):
            if state.get(key) == first_state.get(key):
                continue
            self.outcome.differs(
                driver.name, None, "state", f"key {key!r} holds other data than after {first.name}"
            )


def is_big(value):
    return isinstance(value, bytes) and abs(int(value)) > 2**53


def is_dishonest(reply):
    if isinstance(reply, list):
        return any(map(is_dishonest, reply))
    return worlds.is_open(reply) and reply.executed not in ("no", "yes", "unknown")


def load_kinds():
    return json.loads(KINDS_FILE.read_text()) if KINDS_FILE.exists() else {}


def save_kinds(kinds):
    text = json.dumps(kinds, indent=1, sort_keys=True)
    KINDS_FILE.write_text(text + "\n")


# What some drivers cannot do in a cluster, as the clients that they mirror cannot. redis-py's
# asyncio cluster hung in a program with a watch.
UNABLE = {
    "transaction": ("jedis",),
    "watch": ("jedis", "java", "java-futures", "redis-py-asyncio"),
}
# Of eight programs of a cluster, by their seed: what they are without. Nobody but C, Java and Node
# lends a connection there. Programs of odd seeds are of one slot, so that the mirrored clients can
# execute them, too.
LESS, LEAST = ("lease", "watch"), ("lease", "watch", "transaction")
WITHOUT = [LESS, LEAST, ("lease",), ("lease",), LESS, LEAST, LESS, LESS]


def setting_of(name, seed):
    """What the program of a seed is like in the environment of this name."""
    calm = name.endswith("-faults")
    if not name.startswith("cluster"):
        return programs.Setting(calm=calm)
    return programs.Setting(True, seed % 2 == 1, WITHOUT[seed % len(WITHOUT)], calm)


def can_execute(driver, setting, seed, peers_every):
    """Whether such programs are for this driver; the mirrored clients promise nothing through
    faults, and are slow: they may execute a part of the programs only."""
    if driver.is_peer and (setting.calm or seed // len(WITHOUT) % peers_every):
        return False
    if not setting.cluster:
        return True
    if driver.is_peer and not setting.one_slot:
        return False
    return not any(
        driver.name in names for name, names in UNABLE.items() if name not in setting.without
    )


def run_program(environment, program, seed, crew, names, known_kinds, record=False):
    """What a program gives with the drivers of these names. The seed is for the faults."""
    run = Run(environment, program, known_kinds, record)
    return run.follow(crew, names, seed) if environment.proxy else run.compare(crew, names)


def run_seed(environment, seed, size, crew, known_kinds, record=False, peers_every=1):
    setting = setting_of(environment.name, seed)
    names = [
        name
        for name, driver in crew.kinds.items()
        if can_execute(driver, setting, seed, peers_every)
    ]
    program = programs.make(seed, size, setting)
    return run_program(environment, program, seed, crew, names, known_kinds, record)
