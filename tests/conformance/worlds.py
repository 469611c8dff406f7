"""What programs behind a faulty network may see.

A command that failed may have been executed or not: then there are two worlds, and what comes later
must fit at least one of them. An error that says `no` or `yes` leaves one: so a lie in `executed`
shows as soon as the data are read.
"""

import natives
from interpret import Expected, Machine
from model import Model
from model_base import ANY

WORLDS_MAX = 64


class Impossible(Exception):
    """No world gives this reply."""


class Worlds:
    """All states that the data may have."""

    def __init__(self, cluster):
        self.models = [Model(cluster)]

    def step(self, words, reply, twice):
        """Takes the reply of one command. twice: it may have been executed twice."""
        after = []
        if is_open(reply):
            for model in self.models:
                after += self.ways(model, words, reply.executed)
        else:
            for model in self.models:
                after += self.fitting(model, words, reply, twice)
            if not after:
                expected = self.models[0].copy().execute(words)
                raise Impossible(f"{reply!r} instead of {expected!r}")
        self.keep(after)

    def ways(self, model, words, executed):
        done = model.copy()
        done.execute(words)
        return {"no": [model], "yes": [done]}.get(executed, [model, done])

    def fitting(self, model, words, reply, twice):
        done = model.copy()
        if natives.same(done.execute(words), reply):
            return [done]
        if twice and natives.same(done.execute(words), reply):
            return [done]
        return []

    def group(self, commands, reply):
        """Takes the outcome of a transaction, which is executed whole or not at all."""
        after = []
        for model in self.models:
            done = model.copy()
            replies = [done.execute(words) for words in commands]
            if is_refused(reply):
                after.append(model)
            elif isinstance(reply, list):
                after += [done] if natives.same(replies, reply) else []
            elif is_open(reply):
                after += {"no": [model], "yes": [done]}.get(reply.executed, [model, done])
            else:
                after.append(model)
        if not after:
            raise Impossible(f"{reply!r} fits no state of the data")
        self.keep(after)

    def forget(self, commands):
        """Nothing is known any more of what these commands touch."""
        for model in self.models:
            for words in commands:
                model.cloud(model.keys_of(words) or [])

    def keep(self, models):
        """Equal worlds are one; of too many, what they differ in is unknown."""
        unlike = {state_of(model): model for model in models}
        self.models = list(unlike.values())
        if len(self.models) > WORLDS_MAX:
            first = self.models[0]
            for other in self.models[1:]:
                keys = set(first.data) | set(other.data)
                first.cloud({key for key in keys if first.data.get(key) != other.data.get(key)})
                first.cloud(other.clouded)
            self.models = [first]


def state_of(model):
    return repr((sorted(model.data.items()), sorted(model.lifetimes), sorted(model.clouded)))


def is_refused(reply):
    """Whether each command of a transaction says that it was not executed."""
    if not isinstance(reply, list) or not reply:
        return False
    return all(isinstance(item, natives.Error) and item.executed == "no" for item in reply)


def is_open(reply):
    return isinstance(reply, natives.Error) and reply.kind != natives.SERVER


def may_run_twice(words):
    """Whether the core may send it again after a lost reply: the data are the same then."""
    return words[0].upper() in IDEMPOTENT


IDEMPOTENT = set(
    b"SET SETEX GETSET DEL UNLINK MSET HSET HDEL SADD SREM ZADD ZREM EXPIRE PERSIST LSET LTRIM"
    b" SETRANGE SETBIT".split()
)


class Judge(Machine):
    """Follows a calm program of one thread with what a driver reported."""

    def __init__(self, program, cluster, replies):
        super().__init__(program, cluster)
        self.worlds = Worlds(cluster)
        self.replies = replies
        self.index = 0

    def judge(self):
        """[(index, what is impossible)]; the first makes the rest meaningless."""
        stack = []
        for self.index, words in enumerate(self.program[0]):
            name = words[0].decode().replace("-", "_")
            try:
                given = getattr(self, f"do_{name}")(stack, 0, *words[1:])
            except Impossible as impossible:
                return [(self.index, str(impossible))]
            if given is not None:
                stack.append((self.index, given))
        return []

    def reply(self):
        return self.replies.get((0, self.index))

    def send(self, client, words):
        if client.queued is not None:
            client.queued.append(words)
            return None
        if not client.is_closed:
            self.worlds.step(words, self.reply(), may_run_twice(words))
        return Expected(natives.shape_of(words), ANY)

    def do_batch_end(self, _stack, _thread, name):
        client = self.clients[name]
        commands, client.queued = client.queued, None
        reply = self.reply()
        replies = reply if isinstance(reply, list) else [reply] * len(commands)
        before = self.worlds.models
        try:
            for words, each in zip(commands, replies):
                self.worlds.step(words, each, may_run_twice(words))
        except Impossible:
            # What is read or set again after a lost connection comes behind the rest of its batch.
            self.worlds.models = before
            self.worlds.forget(commands)
        return Expected([natives.shape_of(words) for words in commands], ANY)

    def do_transaction_end(self, _stack, _thread, name):
        client = self.clients[name]
        commands, client.queued = client.queued, None
        self.worlds.group(commands, self.reply())
        return Expected([natives.shape_of(words) for words in commands], ANY)
