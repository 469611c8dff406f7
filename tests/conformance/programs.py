"""Programs from a seed, well-formed by construction.

`make(seed, size)` gives a program of about `size` operations. The same seed gives the same program
and setting for ever. A *calm* program waits for each result before it goes on, which is what
programs behind a faulty network have to do for their outcome to be known.

What makes the results comparable: each thread has keys of its own; before anything that is not
ordered with what is under way (another connection, a blocking command) the program takes every
result that is not there yet; nothing depends on time but keys that live a millisecond.
"""

import random

TEXTS = [
    b"",
    b"a",
    b"value",
    b"7",
    b"-3",
    b"1.5",
    b"\x00\xff\r\n",
    "grüß".encode(),
    b"{tag}",
    b"$-1\r\n",
]
# No bytes that are not UTF-8: field names of ioredis are strings.
FIELDS = [b"f1", b"f2", "grüß".encode(), b"", b"field with spaces"]
MEMBERS = [b"m1", b"m2", b"m3", b"\x00", b"10"]
SCORES = [b"1", b"2.5", b"-3", b"0", b"1e3", b"inf", b"0.1"]
COUNTS = [b"0", b"1", b"-1", b"2", b"-2", b"100", b"-100"]
BIG = [b"9223372036854775807", b"-9223372036854775808", b"9007199254740993"]
THREADS_MAX = 3
TYPES = "shlSzx"  # strings, hashes, lists, sets, sorted sets, keys without a common tag


class Thread:
    """Writes the instructions of one thread."""

    def __init__(self, draw, number, setting):
        self.draw = draw
        self.number = number
        self.setting = setting
        self.tag = b"{t%d}" % number
        self.client = b"c%d" % number
        self.groups = [[]]  # the instructions, those of one operation together
        self.depth = 0  # entries on the stack
        self.serial = 0

    # Words

    def key(self, kind):
        """Mostly a key of this type, sometimes one of another."""
        if self.draw.random() < 0.04:
            kind = self.draw.choice(TYPES)
        number = self.draw.randrange(4)
        if kind == "x":
            return self.loose(number)
        odd = b"\xff\x00 " if number == 3 else b""
        return self.tag + kind.encode() + b"%d" % number + odd

    def loose(self, number):
        """A key without the common tag, where commands of several slots are wanted."""
        return (self.tag if self.setting.one_slot else b"t%d" % self.number) + b"x%d" % number

    def text(self):
        roll = self.draw.random()
        if roll < 0.03:
            return self.draw.randbytes(self.draw.choice([1000, 20_000, 100_000]))
        if roll < 0.5:
            self.serial += 1
            return b"v%d" % self.serial
        return self.draw.choice(TEXTS)

    def integer(self):
        if self.draw.random() < 0.05:
            return self.draw.choice(BIG)
        return b"%d" % self.draw.randrange(-9, 99)

    def some(self, choices, most=3):
        return [self.draw.choice(choices) for _ in range(self.draw.randint(1, most))]

    # Instructions

    def emit(self, *words, pushes=0):
        self.groups[-1].append(
            [word if isinstance(word, bytes) else word.encode() for word in words]
        )
        self.depth += pushes

    def settle(self):
        """Waits for everything that is not there yet."""
        while self.depth:
            self.emit("pop", pushes=-1)

    def command(self, *words, pushes=1, client=None):
        self.emit("command", client or self.client, *[b"=" + word for word in words], pushes=pushes)

    def method(self, name, *operands, pushes=1):
        self.emit("method", self.client, name, *operands, pushes=pushes)

    def any_data(self, pushes=1):
        """One command or method on data."""
        areas = [self.strings, self.hashes, self.lists, self.sets, self.scored]
        # Pipelines of mirrored clusters refuse some commands of several keys.
        words = self.draw.choice(areas + [self.keys] * (pushes or not self.setting.one_slot))()
        if self.draw.random() < 0.4 and (operands := as_method(words)):
            self.method(*operands, pushes=pushes)
        else:
            self.command(*words, pushes=pushes)

    # Commands by type

    def strings(self):
        key, draw = self.key("s"), self.draw
        return draw.choice(
            [
                lambda: [b"SET", key, self.text()],
                lambda: [b"SET", key, self.text(), draw.choice([b"NX", b"XX", b"KEEPTTL"])],
                lambda: [b"SET", key, self.integer()],
                lambda: [b"SETEX", key, b"1000", self.text()],
                lambda: [b"GET", key],
                lambda: [b"GETDEL", key],
                lambda: [b"GETSET", key, self.text()],
                lambda: [b"APPEND", key, self.text()],
                lambda: [b"STRLEN", key],
                lambda: [b"GETRANGE", key, draw.choice(COUNTS), draw.choice(COUNTS)],
                lambda: [b"SETRANGE", key, draw.choice([b"0", b"3", b"20"]), self.text()],
                lambda: [draw.choice([b"INCR", b"DECR"]), key],
                lambda: [draw.choice([b"INCRBY", b"DECRBY"]), key, self.integer()],
                lambda: [b"SETBIT", key, b"%d" % draw.randrange(40), draw.choice([b"0", b"1"])],
                lambda: [b"GETBIT", key, b"%d" % draw.randrange(40)],
                lambda: [b"BITCOUNT", key],
                lambda: [b"SETNX", key, self.text()],
            ]
        )()

    def hashes(self):
        key, field, draw = self.key("h"), self.draw.choice(FIELDS), self.draw
        return draw.choice(
            [
                lambda: [b"HSET", key, field, self.text()],
                lambda: [b"HSET", key, field, self.integer()],
                lambda: [b"HGET", key, field],
                lambda: [b"HMGET", key, *self.some(FIELDS)],
                lambda: [b"HGETALL", key],
                lambda: [b"HDEL", key, *self.some(FIELDS)],
                lambda: [b"HINCRBY", key, field, self.integer()],
                lambda: [b"HEXISTS", key, field],
                lambda: [b"HLEN", key],
                lambda: [b"HKEYS", key],
                lambda: [b"HSETNX", key, field, self.text()],
                lambda: [b"HSTRLEN", key, field],
            ]
        )()

    def lists(self):
        key, draw = self.key("l"), self.draw
        sides = [b"LEFT", b"RIGHT"]
        return draw.choice(
            [
                lambda: [
                    draw.choice([b"LPUSH", b"RPUSH"]),
                    key,
                    *(self.text() for _ in range(draw.randint(1, 4))),
                ],
                lambda: [draw.choice([b"LPOP", b"RPOP"]), key],
                lambda: [b"LPOP", key, b"2"],
                lambda: [b"LRANGE", key, draw.choice(COUNTS), draw.choice(COUNTS)],
                lambda: [b"LRANGE", key, b"0", b"-1"],
                lambda: [b"LLEN", key],
                lambda: [b"LINDEX", key, draw.choice(COUNTS)],
                lambda: [b"LSET", key, draw.choice(COUNTS), self.text()],
                lambda: [b"LREM", key, draw.choice(COUNTS), draw.choice(TEXTS)],
                lambda: [b"LTRIM", key, b"0", b"%d" % draw.randrange(9)],
                lambda: [b"LMOVE", key, self.key("l"), draw.choice(sides), draw.choice(sides)],
                lambda: [b"RPUSHX", key, self.text()],
            ]
        )()

    def sets(self):
        key, draw = self.key("S"), self.draw
        return draw.choice(
            [
                lambda: [b"SADD", key, *self.some(MEMBERS)],
                lambda: [b"SREM", key, draw.choice(MEMBERS)],
                lambda: [b"SMEMBERS", key],
                lambda: [b"SCARD", key],
                lambda: [b"SISMEMBER", key, draw.choice(MEMBERS)],
                lambda: [b"SMISMEMBER", key, *self.some(MEMBERS)],
                lambda: [draw.choice([b"SINTER", b"SUNION", b"SDIFF"]), key, self.key("S")],
                lambda: [b"SMOVE", key, self.key("S"), draw.choice(MEMBERS)],
            ]
        )()

    def scored(self):
        key, draw = self.key("z"), self.draw
        return draw.choice(
            [
                lambda: [b"ZADD", key, draw.choice(SCORES), draw.choice(MEMBERS)],
                lambda: [b"ZSCORE", key, draw.choice(MEMBERS)],
                lambda: [b"ZINCRBY", key, draw.choice(SCORES), draw.choice(MEMBERS)],
                lambda: [b"ZRANGE", key, draw.choice(COUNTS), draw.choice(COUNTS)],
                lambda: [b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"],
                lambda: [b"ZRANGE", key, b"0", b"-1", b"REV"],
                lambda: [b"ZRANK", key, draw.choice(MEMBERS)],
                lambda: [b"ZCARD", key],
                lambda: [b"ZREM", key, *self.some(MEMBERS)],
                lambda: [b"ZCOUNT", key, b"-inf", b"+inf"],
            ]
        )()

    def keys(self):
        kind, draw = self.draw.choice(TYPES), self.draw
        key = self.key(kind)
        return draw.choice(
            [
                lambda: [
                    draw.choice([b"DEL", b"UNLINK", b"EXISTS", b"TOUCH"]),
                    *(self.key(draw.choice(TYPES)) for _ in range(3)),
                ],
                lambda: [b"MGET", *(self.key("x") for _ in range(3))],
                lambda: [b"MSET", self.key("x"), self.text(), self.key("x"), self.text()],
                lambda: [b"MSETNX", self.key("s"), self.text(), self.key("s"), self.text()],
                lambda: [b"TYPE", key],
                lambda: [b"EXPIRE", key, draw.choice([b"1000", b"0", b"-1", b"100000"])],
                lambda: [b"PERSIST", key],
                lambda: [b"TTL", key],
                lambda: [b"RENAME", key, self.key(kind)],
                lambda: [b"COPY", key, self.key(kind)],
                lambda: [b"STRLEN", key] if self.setting.one_slot else [b"ECHO", self.text()],
            ]
        )()

    # Operations

    def data(self):
        self.any_data()

    def errors(self):
        """What the server refuses; mirrored clients of clusters refuse the last three."""
        key = self.key("s")
        self.command(
            *self.draw.choice(
                [
                    [b"GET", key, b"too", b"many"],
                    [b"LPUSH", self.tag + b"s0", b"x"],
                    [b"INCRBY", key, b"text"],
                    [b"SET", key, b"v", b"EX", b"0"],
                    [b"LSET", self.tag + b"none", b"0", b"v"],
                    [b"SUNION", self.loose(1), self.loose(2)],
                    [b"NOSUCH", b"command"],
                    [b"GET"],
                ][: 5 if self.setting.one_slot else None]
            )
        )

    def stack(self):
        """Values that travel from results into commands."""
        self.settle()
        key = self.key("s")
        self.command(b"SET", key, self.text())
        self.command(b"GET", key)
        self.emit("push", b"=" + self.text(), pushes=1)
        if self.draw.random() < 0.5:
            self.emit("swap")
        self.emit("concat", pushes=-1)
        if self.draw.random() < 0.5:
            self.emit("dup", pushes=1)
        self.emit("command", self.client, b"=SET", b"=" + key, b"^")
        self.command(b"STRLEN", key)
        self.emit("push", b":%d" % self.draw.randrange(2**53), pushes=1)
        self.emit("method", self.client, "append", b"=" + key, b"^")

    def batch(self):
        self.emit("batch", self.client)
        for _ in range(self.draw.choice([1, 2, 5, 5, 20])):
            self.any_data(pushes=0)
        self.emit("batch-end", self.client, pushes=1)

    def same_slot(self):
        """A command of keys with the common tag."""
        area = self.draw.choice([self.strings, self.hashes, self.lists, self.sets, self.scored])
        while True:
            words = area()
            if self.setting.one_slot or b"t%dx" % self.number not in [word[:3] for word in words]:
                return words

    def transaction(self):
        self.settle()
        self.emit("transaction", self.client)
        for _ in range(self.draw.choice([1, 2, 4])):
            self.command(*self.same_slot(), pushes=0)
        if self.draw.random() < 0.1 and not self.setting.one_slot:
            self.command(b"NOSUCH", pushes=0)
        self.emit("transaction-end", self.client, pushes=1)
        self.settle()

    def watch(self):
        self.settle()
        key = self.tag + b"w"
        self.emit("watch", self.client, b"=" + key)
        self.command(b"GET", key)
        self.settle()
        if self.draw.random() < 0.2:
            self.emit("unwatch", self.client)
            return
        if self.draw.random() < 0.4:
            self.serial += 1
            self.command(b"SET", key, b"w%d" % self.serial, client=b"o%d" % self.number)
            self.settle()
        self.emit("transaction", self.client)
        self.command(b"APPEND", key, b"+", pushes=0)
        self.command(*self.same_slot(), pushes=0)
        self.emit("transaction-end", self.client, pushes=1)
        self.settle()

    def lease(self):
        self.settle()
        name = b"l%d" % self.number
        key = self.key("x")
        self.emit("lease", name, self.client)
        self.command(b"SET", key, self.text(), client=name)
        self.command(b"GET", key, client=name)
        self.settle()
        self.emit("release", name)

    def expiry(self):
        self.settle()
        key = self.key(self.draw.choice("shlSz"))
        self.command(b"PEXPIRE", key, b"1")
        self.settle()
        self.emit("sleep", b"6")
        self.command(b"EXISTS", key)
        self.settle()

    def blocking(self):
        self.settle()
        key = self.key("l")
        if self.draw.random() < 0.7:
            self.command(b"RPUSH", key, self.text())
            self.settle()
        self.command(b"BLPOP", key, b"0.01")
        self.settle()

    def cancel(self):
        self.settle()
        key = self.tag + b"nothing"
        self.emit("cancel", self.client, b"10", b"=BLPOP", b"=" + key, b"=0", pushes=1)
        self.settle()
        self.command(b"RPUSH", key, b"kept")
        self.command(b"LPOP", key)
        self.settle()

    def pubsub(self):
        self.settle()
        name, other = b"s%d" % self.number, b"o%d" % self.number
        sharded = [b"sharded"] * self.setting.cluster
        kind = self.draw.choice([b"channel", b"pattern", *sharded])
        # Names of its own: from another node of a cluster an old message may come now.
        self.serial += 1
        channel = self.tag + b"%dch" % self.serial
        heard = self.tag + b"%dc*" % self.serial if kind == b"pattern" else channel
        publish = b"SPUBLISH" if kind == b"sharded" else b"PUBLISH"
        self.emit("subscribe", name, self.client, kind, b"=" + heard)
        both = kind == b"pattern" and self.draw.random() < 0.5
        if both:
            self.emit("subscribe", name, self.client, "channel", b"=" + channel)
        for _ in range(self.draw.choice([1, 3])):
            self.command(publish, channel, self.text(), client=other)
            self.settle()
            for _ in range(1 + both):
                self.emit("poll", name, b"10000", pushes=1)
            self.settle()
        if both:
            self.emit("unsubscribe", name, "channel", b"=" + channel)
            self.command(publish, channel, b"for one", client=other)
            self.settle()
            self.emit("poll", name, b"10000", pushes=1)
        if self.draw.random() < 0.3:
            self.emit("poll", name, b"5", pushes=1)
        self.settle()
        self.emit("unsubscribe-all", name)

    def script(self):
        key = self.key("s")
        self.settle()
        source = self.draw.choice(
            [
                [b"return {1, ARGV[1], {2, KEYS[1]}}", b"1", key, self.text()],
                [b"return redis.call('SET', KEYS[1], ARGV[1])", b"1", key, self.text()],
                [b"return redis.call('GET', KEYS[1])", b"1", key],
                [b"return redis.error_reply('MINE own error')", b"0"],
                [b"return redis.call('LPUSH', KEYS[1], 'x')", b"1", self.tag + b"s0"],
                [b"return nil", b"0"],
            ]
        )
        self.command(b"EVAL", *source)
        if self.draw.random() < 0.3:
            self.command(b"EVALSHA", b"f" * 40, b"0")
        # What a script left is not the model's; what follows makes the keys known again.
        self.command(b"SET", key, self.text())
        self.command(b"SET", self.tag + b"s0", self.text())
        self.settle()

    def statistics(self):
        self.emit("statistics", self.client, pushes=1)


OPERATIONS = {
    "data": 30,
    "errors": 2,
    "stack": 2,
    "batch": 4,
    "transaction": 3,
    "watch": 2,
    "lease": 1,
    "expiry": 0.5,
    "blocking": 1,
    "cancel": 0.3,
    "pubsub": 0.8,
    "script": 1,
    "statistics": 0.5,
}
# Behind a faulty network only what the model follows through every failure.
CALM_OPERATIONS = {"data": 30, "errors": 2, "batch": 3, "transaction": 3, "lease": 1, "blocking": 1}
# Redis' own argument order and types: what a method takes as a number.
NUMBERS = {
    b"SETEX": (1,),
    b"GETRANGE": (1, 2),
    b"INCRBY": (1,),
    b"EXPIRE": (1,),
    b"HINCRBY": (2,),
    b"LRANGE": (1, 2),
    b"ZRANGE": (1, 2),
}
DOUBLES = {b"ZADD": (1,), b"ZINCRBY": (1,)}
METHODS = set(
    "get set setex getdel append strlen getrange incrby mget mset del exists expire persist ttl"
    " type hset hget hmget hgetall hdel hincrby hexists lpush rpush lpop lrange llen sadd srem"
    " smembers sismember smismember zadd zscore zincrby zrange zrank zcard".split()
)
ARITY = {"set": 3, "lpop": 2, "zrank": 3, "srem": 3, "expire": 3, "hset": 4}


def as_method(words):
    """Name and operands of the method for a command; None when there is none for it."""
    name = words[0].decode().lower()
    arguments = words[1:]
    if name == "zrange" and words[-1] == b"WITHSCORES":
        name, arguments = "zrange_withscores", arguments[:-1]
    elif name not in METHODS or name == "zrange" and len(words) != 4:
        return None
    if len(words) != ARITY.get(name, len(words)):
        return None
    numbers, doubles = NUMBERS.get(words[0], ()), DOUBLES.get(words[0], ())
    return [name] + [
        (b":" if at in numbers else b"," if at in doubles else b"=") + word
        for at, word in enumerate(arguments)
    ]


def fill(thread, size):
    """Writes `size` operations, some kinds of which are more frequent in this program."""
    setting = thread.setting
    table = CALM_OPERATIONS if setting.calm else OPERATIONS
    names = [name for name in table if name not in setting.without]
    weights = [table[name] * thread.draw.choice([0.3, 1, 1, 3]) for name in names]
    for name in thread.draw.choices(names, weights, k=size):
        thread.groups.append([])
        getattr(thread, name)()
        if setting.calm:
            thread.settle()


class Setting:
    """What a program is for.

    one_slot: each thread's keys are of one slot of a cluster, as the mirrored clients want it.
    without: names of operations that some driver cannot do there. calm: for a faulty network.
    """

    def __init__(self, cluster=False, one_slot=False, without=(), calm=False):
        self.cluster, self.one_slot, self.without, self.calm = cluster, one_slot, without, calm

    def __str__(self):
        return f"{self.cluster} {self.one_slot} {'transaction' in self.without} {self.calm}"


def make_groups(seed, size=200, setting=Setting()):
    """The program of a seed: thread -> its operations, each a list of instructions."""
    calm = setting.calm
    draw = random.Random(f"{seed} {setting}")
    count = 0 if calm or draw.random() < 0.6 else draw.randint(1, THREADS_MAX)
    threads = [Thread(draw, number, setting) for number in range(count + 1)]
    for thread in threads:
        thread.emit("connect", thread.client, "HERE")
        if not calm:
            thread.emit("connect", b"o%d" % thread.number, "HERE")
        for other in threads[1:] if thread is threads[0] else []:
            thread.emit("start", b"%d" % other.number)
        fill(thread, size // len(threads))
    main = threads[0]
    main.groups.append([])
    for other in threads[1:]:
        main.emit("wait", b"%d" % other.number)
    main.settle()
    if draw.random() < 0.3:
        main.emit("close", main.client)
        main.command(b"GET", main.key("s"))
    return {thread.number: thread.groups for thread in threads}


def flat(groups):
    """The program that operations make: thread -> instructions."""
    return {
        thread: [words for group in of_thread for words in group]
        for thread, of_thread in groups.items()
    }


def make(seed, size=200, setting=Setting()):
    """The program of a seed: thread -> its instructions."""
    return flat(make_groups(seed, size, setting))
