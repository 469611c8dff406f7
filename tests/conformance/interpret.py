"""Executes a program on the model: what each of its results must be, and of which shape it is."""

import collections
import fnmatch

import natives
from model import Model
from model_base import ANY
import slots

Expected = collections.namedtuple("Expected", "shape value")
# Methods whose command is spelled in another way.
SPELLED = {b"zrange_withscores": lambda words: [b"ZRANGE", *words, b"WITHSCORES"]}


def as_argument(value):
    if isinstance(value, bytes):
        return value
    return b"%d" % value if isinstance(value, int) else b"other"


class Subscription:
    """One subscriber: what it hears, and what has come and was not yet taken."""

    def __init__(self):
        self.names = {b"channel": set(), b"pattern": set(), b"sharded": set()}
        self.waiting = collections.deque()

    def hear(self, sharded, channel, text):
        if sharded:
            if channel in self.names[b"sharded"]:
                self.waiting.append([b"smessage", None, channel, text])
            return
        if channel in self.names[b"channel"]:
            self.waiting.append([b"message", None, channel, text])
        for pattern in sorted(self.names[b"pattern"]):
            if fnmatch.fnmatchcase(channel.decode("latin-1"), pattern.decode("latin-1")):
                self.waiting.append([b"pmessage", pattern, channel, text])


class Client:
    def __init__(self, is_lease=False):
        self.is_lease = is_lease
        self.is_closed = False
        self.watched = None  # the keys and what they held, while a watch is open
        self.queued = None  # the words of an open batch or transaction


class Machine:
    """One execution. `results` maps (thread, index) to what is expected."""

    def __init__(self, program, cluster):
        self.program = program
        self.model = Model(cluster)
        self.clients = {}
        self.subscriptions = {}
        self.results = {}

    def run_thread(self, thread):
        stack = []
        for index, words in enumerate(self.program[thread]):
            name = words[0].decode().replace("-", "_")
            action = getattr(self, f"do_{name}")
            given = action(stack, thread, *words[1:])
            if given is not None:
                stack.append((index, given))
        for index, given in stack:
            self.results[thread, index] = given

    def value(self, stack, operand):
        kind, text = operand[:1], operand[1:]
        if kind == b"^":
            return stack.pop()[1].value
        return int(text) if kind == b":" else float(text) if kind == b"," else text

    def words(self, stack, operands):
        return [
            operand[1:] if operand[:1] in b":,=" else as_argument(self.value(stack, operand))
            for operand in operands
        ]

    # Data

    def do_push(self, stack, _thread, operand):
        return Expected("plain", self.value(stack, operand))

    def do_dup(self, stack, _thread):
        return stack[-1][1]

    def do_swap(self, stack, _thread):
        stack[-1], stack[-2] = stack[-2], stack[-1]

    def do_pop(self, stack, thread):
        index, given = stack.pop()
        self.results[thread, index] = given

    def do_concat(self, stack, _thread):
        second, first = (as_argument(stack.pop()[1].value) for _ in range(2))
        return Expected("plain", first + second)

    # Commands

    def do_connect(self, _stack, _thread, name, *_words):
        self.clients[name] = Client()

    def do_command(self, stack, _thread, name, *operands):
        return self.send(self.clients[name], self.words(stack, operands))

    def do_method(self, stack, _thread, name, method, *operands):
        words = self.words(stack, operands)
        spell = SPELLED.get(method, lambda words: [method.upper(), *words])
        return self.send(self.clients[name], spell(words))

    def send(self, client, words):
        if client.queued is not None:
            client.queued.append(words)
            return None
        shape = natives.shape_of(words)
        if client.is_closed:
            return Expected(shape, natives.Local("closed"))
        return Expected(shape, self.execute(words))

    def execute(self, words):
        name = words[0].upper()
        if name in (b"PUBLISH", b"SPUBLISH"):
            for subscription in self.subscriptions.values():
                subscription.hear(name == b"SPUBLISH", *words[1:])
            return ANY
        if name == b"FLUSHALL":
            self.model = Model(self.model.cluster)
        return self.model.execute(words)

    def do_batch(self, _stack, _thread, name):
        self.clients[name].queued = []

    def do_batch_end(self, _stack, _thread, name):
        client = self.clients[name]
        commands, client.queued = client.queued, None
        shapes = [natives.shape_of(words) for words in commands]
        if client.is_closed:
            return Expected(shapes, natives.Local("closed"))
        return Expected(shapes, [self.execute(words) for words in commands])

    do_transaction = do_batch

    def do_transaction_end(self, _stack, _thread, name):
        client = self.clients[name]
        commands, client.queued = client.queued, None
        watched, client.watched = client.watched, None
        shapes = [natives.shape_of(words) for words in commands]
        if client.is_closed:
            return Expected(shapes, natives.Local("closed"))
        used = [key for words in commands for key in self.model.keys_of(words) or []]
        if self.model.cluster and len({slots.slot(key) for key in [*used, *(watched or {})]}) > 1:
            return Expected(shapes, natives.Local("crossslot"))
        if any(self.is_refused(words) for words in commands):
            return Expected(shapes, natives.Local("aborted"))
        if watched is not None and watched != self.held(watched):
            return Expected(shapes, None)
        return Expected(shapes, [self.execute(words) for words in commands])

    def is_refused(self, words):
        """Whether the server refuses to queue it: unknown, or of a wrong arity."""
        return words[0].upper() == b"NOSUCH" or self.model.has_wrong_arity(words)

    def held(self, keys):
        """What keys hold, as far as a watch notices it."""
        return {key: repr(self.model.data.get(key)) for key in keys}

    def do_watch(self, stack, _thread, name, *operands):
        self.clients[name].watched = self.held(self.words(stack, operands))

    def do_unwatch(self, _stack, _thread, name):
        self.clients[name].watched = None

    def do_lease(self, _stack, _thread, name, _of):
        self.clients[name] = Client(is_lease=True)

    def do_release(self, _stack, _thread, name):
        del self.clients[name]

    def do_cancel(self, _stack, _thread, _name, _ms, *_operands):
        return Expected("given up", natives.GIVEN_UP)

    def do_statistics(self, _stack, _thread, _name):
        return Expected("plain", b"statistics")

    def do_close(self, _stack, _thread, name):
        self.clients[name].is_closed = True

    # Subscriptions

    def do_subscribe(self, stack, _thread, name, _client, kind, *operands):
        subscription = self.subscriptions.setdefault(name, Subscription())
        subscription.names[kind].update(self.words(stack, operands))

    def do_unsubscribe(self, stack, _thread, name, kind, *operands):
        self.subscriptions[name].names[kind].difference_update(self.words(stack, operands))

    def do_poll(self, _stack, _thread, name, _ms):
        waiting = self.subscriptions[name].waiting
        return Expected("plain", waiting.popleft() if waiting else None)

    def do_unsubscribe_all(self, _stack, _thread, name):
        del self.subscriptions[name]

    # Time and threads

    def do_sleep(self, _stack, _thread, _ms):
        return None

    def do_start(self, _stack, _thread, thread):
        self.run_thread(int(thread))

    def do_wait(self, _stack, _thread, _number):
        return None


def expected(program, cluster):
    """(thread, index) -> Expected, of every result of a program."""
    machine = Machine(program, cluster)
    machine.run_thread(0)
    return machine.results
