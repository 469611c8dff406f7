"""Waiting for calls, with a blocking client and with an asyncio one."""

import asyncio
import inspect
import os
import sys
import threading
import time

PATIENCE_S = 30  # for what comes in milliseconds unless something is broken


def give_up(why):
    """Ends the driver, from any thread."""
    print(f"driver.py: {why}", file=sys.stderr, flush=True)
    os._exit(1)


async def of(given):
    """What a call of a client came to: its result, or what an awaitable gives."""
    return await given if inspect.isawaitable(given) else given


async def outcome(work):
    """The result of a coroutine, or the exception that it raised: every failure is a value."""
    try:
        return await work
    except (Exception, asyncio.CancelledError) as error:
        return error.with_traceback(None)  # which would keep all the objects of the call


class Blocking:
    """Calls return when they are done; a thread of the program is a thread."""

    def begin(self, work):
        try:
            work.send(None)
        except StopIteration as end:
            return end.value
        return give_up("a blocking client wants to be awaited")

    run = begin

    async def sleep(self, seconds):
        time.sleep(seconds)

    def start(self, work):
        thread = threading.Thread(target=self.begin, args=(work,), daemon=True)
        thread.start()
        return thread

    async def join(self, thread):
        thread.join(PATIENCE_S)
        return not thread.is_alive()


class Asyncio:
    """Calls are tasks of one loop, and so are the threads of the program."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()

    def begin(self, work):
        return self.loop.create_task(work)

    start = begin

    def run(self, work):
        return self.loop.run_until_complete(work)

    async def sleep(self, seconds):
        await asyncio.sleep(seconds)

    async def join(self, thread):
        done, _ = await asyncio.wait([thread], timeout=PATIENCE_S)
        return bool(done)
