#!/usr/bin/env python3
"""
The conformance machine (../../PROTOCOL.md) for redis-py's interface, blocking and asyncio.

    driver.py tendon | tendon.asyncio | redis | redis.asyncio

Both ways are one source: every step is a coroutine. With a blocking client nothing in it ever
waits for a loop, so that it runs to its end in one go; with an asyncio client each command becomes
a task, and its result is taken later (ways.py).
"""

import asyncio
import contextlib
import faulthandler
import importlib
import pathlib
import signal
import sys

import frames
from parts import KINDS, Batch, NoPipeline, Subscription, as_text, command, method, pairs
from ways import PATIENCE_S, Asyncio, Blocking, give_up, of, outcome

ROOT = pathlib.Path(__file__).resolve().parents[4]
# These run on connections of their own, where only waiting keeps the order of the program.
WAITING_COMMANDS = frozenset(
    b"BLPOP BRPOP BLMOVE BRPOPLPUSH BLMPOP BZPOPMIN BZPOPMAX BZMPOP XREAD XREADGROUP WAIT".split()
)
# All other instructions come after the end of what was sent: they may use another connection.
WITHOUT_WAITING = frozenset(
    b"push dup swap pop concat command method batch batch-end transaction transaction-end".split()
)


class Unsupported(Exception):
    """What the library has no way for."""


class Missing(Exception):
    """A name that could not be made: its connect, lease or subscribe has failed."""


class Thread:
    """One thread of a program: its instructions, its stack and its open pipelines."""

    def __init__(self, program, number, instructions):
        self.program, self.way = program, program.way
        self.number, self.instructions = number, instructions
        self.stack = []  # of (index, outcome)
        self.batches = {}  # name of a client -> Batch
        self.index = 0
        self.client = None  # whose commands are under way

    async def run(self):
        for self.index, (word, *operands) in enumerate(self.instructions):
            step = getattr(self, "do_" + word.decode().replace("-", "_"), None)
            if step is None:
                give_up(f"no such instruction: {word!r}")
            if word not in WITHOUT_WAITING:
                await self.settle()
            await step(*operands)
        for index, value in self.stack:
            self.program.report(self.number, index, await self.settled(value))
        for batch in self.batches.values():
            await outcome(of(batch.pipe.reset()))

    async def settled(self, value):
        return await value if isinstance(value, asyncio.Future) else value

    async def settle(self):
        """Waits for all commands under way, as a blocking client would have done."""
        self.stack = [(index, await self.settled(value)) for index, value in self.stack]

    async def begin(self, name, work, alone=False):
        """
        Begins work that pushes its outcome. Only commands of one client keep their order by
        themselves, and not those that are alone on a connection.
        """
        if name != self.client or alone:
            await self.settle()
        self.client = name
        self.push(self.way.begin(outcome(work)))
        if alone or not pipelines:
            await self.settle()

    def push(self, value):
        self.stack.append((self.index, value))

    async def take(self):
        if not self.stack:
            give_up(f"instruction {self.index} of thread {self.number} finds the stack empty")
        index, value = self.stack.pop()
        return index, await self.settled(value)

    async def push_failure(self, work):
        """Does work that pushes nothing unless it fails; the failure, if there is one."""
        value = await outcome(work)
        if not isinstance(value, BaseException):
            return None
        self.push(value)
        return value

    async def values(self, operands):
        found = []
        for operand in operands:
            kind, text = operand[:1], operand[1:]
            if kind == b"^":
                found.append(as_text((await self.take())[1]))
            elif kind in (b"=", b":", b","):
                found.append({b"=": bytes, b":": int, b",": float}[kind](text))
            else:
                give_up(f"no operand: {operand!r}")
        return found

    # The stack.

    async def do_push(self, operand):
        self.push((await self.values([operand]))[0])

    async def do_dup(self):
        index, value = await self.take()
        self.stack += [(index, value), (self.index, value)]

    async def do_swap(self):
        self.stack[-2:] = reversed(self.stack[-2:])

    async def do_pop(self):
        self.program.report(self.number, *await self.take())

    async def do_concat(self):
        b, a = (await self.take())[1], (await self.take())[1]
        self.push(as_text(a) + as_text(b))

    # Clients and their commands.

    async def do_connect(self, name, kind, host, port, *options):
        options = pairs([option.decode() for option in options])
        given = {"host": host.decode(), "port": int(port)}
        if "protocol" in options:
            given["protocol"] = int(options["protocol"])
        if "tls_ca" in options:
            given.update(ssl=True, ssl_ca_certs=options["tls_ca"])
        if "timeout_ms" in options:
            given["socket_timeout"] = int(options["timeout_ms"]) / 1000
        kind = client_module.RedisCluster if kind == b"cluster" else client_module.Redis

        async def work():
            self.program.clients[name] = await connected(kind(**given))

        await self.push_failure(work())

    async def request(self, name, call, waits=False):
        """Begins a command or method, or queues it while a batch of its client is open."""
        batch = self.batches.get(name)
        if batch is not None and batch.queues:
            batch.queue(call)
            return

        async def work():
            return await of(call(self.program.client(name) if batch is None else batch.pipe))

        await self.begin(name, work(), alone=waits or batch is not None)

    async def do_command(self, name, *operands):
        words = await self.values(operands)
        waits = as_text(words[0]).upper() in WAITING_COMMANDS
        await self.request(name, command(words), waits)

    async def do_method(self, name, method_name, *operands):
        await self.request(name, method(method_name.decode(), await self.values(operands)))

    async def open_batch(self, name, transaction):
        """A pipeline that queues: a new one, or the one that watches."""

        batch = self.batches.get(name)
        if batch is None:
            pipe = self.program.pipeline(name, transaction)
            batch = self.batches[name] = Batch(pipe)
        else:
            batch.pipe.multi()
        batch.queues = True

    async def do_batch(self, name):
        await self.open_batch(name, transaction=False)

    async def do_transaction(self, name):
        await self.open_batch(name, transaction=True)

    async def do_batch_end(self, name):
        batch = self.batches.pop(name)
        await self.begin(name, batch.execute(), alone=batch.watches)

    do_transaction_end = do_batch_end

    async def do_watch(self, name, *operands):
        keys = await self.values(operands)

        pipe = self.program.pipeline(name, transaction=True)

        async def work():
            await of(pipe.watch(*keys))

        failure = await self.push_failure(work())
        if failure is not None:
            await outcome(of(pipe.reset()))
            pipe = NoPipeline(failure)
        self.batches[name] = Batch(pipe, watches=True)

    async def do_unwatch(self, name):
        batch = self.batches.pop(name, None)
        if batch is not None:

            async def work():
                await of(batch.pipe.unwatch())

            await self.push_failure(work())
            await outcome(of(batch.pipe.reset()))

    async def do_lease(self, lease, name):
        async def work():
            client = self.program.client(name)
            if not hasattr(client, "client"):
                raise Unsupported("a cluster client lends no connection")
            self.program.clients[lease] = await connected(client.client())

        await self.push_failure(work())

    async def do_release(self, lease):
        client = self.program.clients.pop(lease, None)
        if client is not None:
            await self.push_failure(close(client))

    async def do_close(self, name):
        async def work():
            await close(self.program.client(name))

        await self.push_failure(work())

    async def do_cancel(self, name, milliseconds, *operands):
        words = await self.values(operands)
        if isinstance(self.way, Blocking):
            return self.push(b"unsupported")

        async def work():
            return await of(command(words)(self.program.client(name)))

        task = self.way.begin(outcome(work()))
        await self.way.sleep(int(milliseconds) / 1000)
        task.cancel()
        self.push(await task)

    async def do_statistics(self, name):
        async def work():
            self.program.client(name).stats()
            return b"statistics"

        self.push(await outcome(work()))

    # Subscriptions.

    async def do_subscribe(self, name, client, kind, *operands):
        names = await self.values(operands)

        async def work():
            subscriptions = self.program.subscriptions
            if name not in subscriptions:
                subscriptions[name] = Subscription(self.program.client(client).pubsub())
            await subscriptions[name].change("subscribe", KINDS[kind.decode()], names)

        await self.push_failure(work())

    async def do_unsubscribe(self, name, kind, *operands):
        names = await self.values(operands)

        async def work():
            subscription = self.program.subscription(name)
            await subscription.change("unsubscribe", KINDS[kind.decode()], names)

        await self.push_failure(work())

    async def do_poll(self, name, milliseconds):
        async def work():
            return await self.program.subscription(name).poll(int(milliseconds) / 1000)

        self.push(await outcome(work()))

    async def do_unsubscribe_all(self, name):
        subscription = self.program.subscriptions.pop(name, None)
        if subscription is not None:
            await self.push_failure(close(subscription.pubsub))

    # Threads.

    async def do_sleep(self, milliseconds):
        await self.way.sleep(int(milliseconds) / 1000)

    async def do_start(self, number):
        self.program.start(int(number))

    async def do_wait(self, number):
        await self.program.wait(int(number))


async def connected(client):
    """A client after what the blocking ones do when they are made, and the others when asked."""
    if hasattr(client, "initialize"):
        await of(client.initialize())
    return client


async def close(client):
    await of(getattr(client, "aclose", client.close)())


class Program:
    """What all threads of a program share, and what they report."""

    def __init__(self, way, threads):
        self.way, self.threads = way, threads
        self.clients, self.subscriptions, self.running = {}, {}, {}
        self.results = []

    def client(self, name):
        if name not in self.clients:
            raise Missing(f"there is no client {name.decode()}")
        return self.clients[name]

    def pipeline(self, name, transaction):
        try:
            return self.client(name).pipeline(transaction=transaction)
        except Exception as failure:
            return NoPipeline(failure)

    def subscription(self, name):
        if name not in self.subscriptions:
            raise Missing(f"there is no subscription {name.decode()}")
        return self.subscriptions[name]

    def report(self, thread, index, value):
        self.results.append(frames.result(thread, index, value, client_module))

    def start(self, number):
        self.running[number] = self.way.start(self.guarded(number))

    async def guarded(self, number):
        """A thread; a defect of this driver in it ends the driver, for nothing else would tell."""
        try:
            await Thread(self, number, self.threads.get(number, [])).run()
        except Exception as defect:
            give_up(f"thread {number}: {type(defect).__name__}: {defect}")

    async def wait(self, number):
        if number not in self.running:
            give_up(f"thread {number} was never started")
        if not await self.way.join(self.running[number]):
            give_up(f"thread {number} has not ended within {PATIENCE_S} s")

    async def run(self):
        await self.guarded(0)
        for number in self.running:
            await self.wait(number)
        for open_one in [
            *(subscription.pubsub for subscription in self.subscriptions.values()),
            *reversed(self.clients.values()),  # leases before the clients that they came from
        ]:
            await outcome(close(open_one))


def main():
    global client_module, pipelines
    name = sys.argv[1]
    faulthandler.register(signal.SIGQUIT)
    sys.path.append(str(ROOT / "bindings" / "python"))
    client_module = importlib.import_module(name)
    pipelines = name != "redis.asyncio"
    way = Asyncio() if name.endswith("asyncio") else Blocking()
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    frames.write(sink, [[b"hello", name.encode()]])
    threads = {}
    with contextlib.suppress(EOFError):
        while (words := frames.read(source)) != [b"quit"]:
            if words == [b"run"]:
                program = Program(way, threads)
                way.run(program.run())
                frames.write(sink, [*program.results, [b"done"]])
                threads = {}
            elif words[0] == b"thread":
                instructions = threads.setdefault(int(words[1]), [])
            else:
                instructions.append(words)


if __name__ == "__main__":
    main()
