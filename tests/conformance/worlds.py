"""What programs behind a faulty network may see.

A command that failed may have been executed or not: then there are two worlds, and what comes later
must fit at least one of them. An error that says `no` or `yes` leaves one: so a lie in `executed`
shows as soon as the data are read. What failed may also be executed later than a command that is
sent after it on another connection; when nothing else fits, that is tried, too.
"""

import natives
import repeats
from interpret import Expected, Machine
from model import Model
from model_base import ANY

WORLDS_MAX = 64
FAILED_SHOWN = 300


class Impossible(Exception):
    """No world gives this reply."""


class World(Model):
    """One state that the data may have. `late`: what failed and may still be executed, each as its
    commands and whether it was sent on the connection of ordinary commands, which keeps order.
    `touched`: the keys of what was late when there were too many worlds to follow it, each with
    that order. What is late in them may be executed at any time, and nobody knows what it is."""

    def __init__(self, cluster):
        super().__init__(cluster)
        self.late = []
        self.touched = set()

    def copy(self):
        twin = super().copy()
        twin.late = list(self.late)
        twin.touched = set(self.touched)
        return twin

    def after(self, commands):
        """The world in which these have been executed, and their replies."""
        done = self.copy()
        return done, [done.execute(words) for words in commands]

    def keys(self, commands):
        return {key for words in commands for key in self.keys_of(words) or []}

    def forget_late(self):
        """Gives up what is late; its keys stay touched."""
        for commands, in_order in self.late:
            self.touched |= {(key, in_order) for key in self.keys(commands)}
        self.late = []

    def settle(self, commands):
        """These were answered in order: what was sent before and is not executed never will be."""
        keys = self.keys(commands)
        self.touched -= {(key, True) for key in keys}
        self.late = [
            (others, in_order)
            for others, in_order in self.late
            if not in_order or keys.isdisjoint(self.keys(others))
        ]

    def overtaken(self):
        """The worlds in which something late has been executed by now."""
        found = list(self.with_late())
        yield from found
        if self.touched:
            for world in [self, *found]:
                done = world.copy()
                done.cloud({key for key, _ in self.touched})
                yield done

    def with_late(self):
        """The worlds in which one of what is late, or all of it, has been executed."""
        for index, (commands, _) in enumerate(self.late):
            done, _ = self.after(commands)
            del done.late[index]
            yield done
        if len(self.late) > 1:
            done, _ = self.after([words for commands, _ in self.late for words in commands])
            done.late = []
            yield done


class Worlds:
    """All states that the data may have."""

    def __init__(self, cluster):
        self.models = [World(cluster)]

    def step(self, words, reply, twice, in_order=True):
        """Takes the reply of one command. twice: it may have been executed twice."""
        if is_open(reply):
            found = [self.ways(model, words, reply.executed, in_order) for model in self.models]
            self.keep([world for worlds in found for world in worlds])
            return
        after = self.fitting(self.models, words, reply, twice)
        if not after:
            late = [world for model in self.models for world in model.overtaken()]
            after = self.fitting(late, words, reply, twice)
        if not after:
            expected = self.models[0].copy().execute(words)
            raise Impossible(f"{reply!r} instead of {expected!r}")
        if in_order:
            for world in after:
                world.settle([words])
        self.keep(after)

    def ways(self, model, words, executed, in_order):
        """What an error leaves. Each part of a command for several slots has its own fate."""
        if executed in ("no", "yes"):
            return [model if executed == "no" else model.after([words])[0]]
        found = [model]
        for part in model.parts_of(words):
            for before in found[:]:
                done, _ = before.after([part])
                if state_of(done) != state_of(before):
                    before.late.append(([part], in_order))
                found.append(done)
        return found

    def fitting(self, models, words, reply, twice):
        after = []
        for model in models:
            done, (first,) = model.after([words])
            if natives.same(first, reply):
                after.append(done)
            elif twice and any(natives.same(x, reply) for x in self.again(model, done, words)):
                after.append(done)
        return after

    def again(self, model, done, words):
        """The replies if some of what the command was sent as was executed a second time."""
        parts = model.parts_of(words)
        second = [done.copy().execute(part) for part in parts]
        if len(parts) == 1 or not all(isinstance(count, int) for count in second):
            return [done.copy().execute(words)]
        sums = {0}
        for part, again in zip(parts, second):
            _, (first,) = model.after([part])
            sums = {total + count for total in sums for count in (first, again)}
        return sums

    def group(self, commands, reply, twice):
        """Takes the outcome of a transaction, which is executed whole or not at all. twice: or a
        second time, whole again."""
        after = self.group_fitting(self.models, commands, reply, twice)
        if not after:
            late = [world for model in self.models for world in model.overtaken()]
            after = self.group_fitting(late, commands, reply, twice)
        if not after:
            raise Impossible(f"{reply!r} fits no state of the data")
        if not is_open(reply):
            for world in after:
                world.settle(commands)
        self.keep(after)

    def group_fitting(self, models, commands, reply, twice):
        after = []
        for model in models:
            done, replies = model.after(commands)
            if isinstance(reply, list) and not is_refused(reply):
                fits = natives.same(replies, reply)
                if not fits and twice:
                    fits = natives.same(done.after(commands)[1], reply)
                after += [done] if fits else []
            elif not is_open(reply) or reply.executed == "no":
                after.append(model)
            elif reply.executed == "yes":
                after.append(done)
            else:
                if state_of(done) != state_of(model):
                    model.late.append((commands, True))
                after += [model, done]
        return after

    def forget(self, commands):
        """Nothing is known any more of what these commands touch; some may be yet to come."""
        for model in self.models:
            keys = model.keys(commands)
            model.cloud(keys)
            model.touched |= {(key, True) for key in keys}

    def keep(self, models):
        """Equal worlds are one; of too many, what they differ in is unknown."""
        unlike = {
            (state_of(model), repr(model.late), repr(sorted(model.touched))): model
            for model in models
        }
        self.models = list(unlike.values())
        if len(self.models) > WORLDS_MAX:
            first = self.models[0]
            for other in self.models[1:]:
                keys = set(first.data) | set(other.data)
                first.cloud({key for key in keys if first.data.get(key) != other.data.get(key)})
                first.cloud(other.clouded)
            for world in self.models:
                world.forget_late()
                first.touched |= world.touched
            first.cloud({key for key, _ in first.touched})
            self.models = [first]


def state_of(model):
    return repr((sorted(model.data.items()), sorted(model.lifetimes), sorted(model.clouded)))


def is_refused(reply):
    """Whether each command of a transaction says that it was not executed."""
    if not isinstance(reply, list) or not reply:
        return False
    return all(isinstance(item, natives.Error) and item.executed == "no" for item in reply)


def flat(reply):
    return reply if isinstance(reply, list) else [reply]


def is_open(reply):
    return isinstance(reply, natives.Error) and reply.kind != natives.SERVER


class Judge(Machine):
    """Follows a calm program of one thread with what a driver reported."""

    def __init__(self, program, cluster, replies):
        super().__init__(program, cluster)
        self.worlds = Worlds(cluster)
        self.replies = replies
        self.index = 0
        self.failed = []  # what may have been executed or not, as far as is known

    def judge(self):
        """[(index, what is impossible)]; the first makes the rest meaningless."""
        stack = []
        for self.index, words in enumerate(self.program[0]):
            name = words[0].decode().replace("-", "_")
            try:
                given = getattr(self, f"do_{name}")(stack, 0, *words[1:])
            except Impossible as impossible:
                text = f"{impossible}; before: {', '.join(self.failed) or 'no error'}"
                return [(self.index, text)]
            if (0, self.index) in self.replies and any(map(is_open, flat(self.reply()))):
                self.failed.append(f"0.{self.index} {self.reply()!r}"[:FAILED_SHOWN])
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
            in_order = not client.is_lease and words[0].upper() != b"BLPOP"
            self.worlds.step(words, self.reply(), repeats.is_idempotent(words), in_order)
        return Expected(natives.shape_of(words), ANY)

    def do_batch_end(self, _stack, _thread, name):
        client = self.clients[name]
        commands, client.queued = client.queued, None
        reply = self.reply()
        replies = reply if isinstance(reply, list) else [reply] * len(commands)
        before = self.worlds.models
        try:
            for words, each in zip(commands, replies):
                self.worlds.step(words, each, repeats.is_idempotent(words))
        except Impossible:
            # What is read or set again after a lost connection comes behind the rest of its batch.
            self.worlds.models = before
            self.worlds.forget(commands)
        return Expected([natives.shape_of(words) for words in commands], ANY)

    def do_transaction_end(self, _stack, _thread, name):
        client = self.clients[name]
        commands, client.queued = client.queued, None
        twice = not client.is_lease and repeats.is_idempotent_together(
            commands, self.worlds.models[0].keys_of
        )
        self.worlds.group(commands, self.reply(), twice)
        return Expected([natives.shape_of(words) for words in commands], ANY)
