"""redis-py, valkey-py and tendon by the interface they share: redis_like.py MODULE words…"""

import asyncio
import importlib
import sys
import threading
import time

from job import TIMED_EVERY, Job

MODULE = sys.argv.pop(1)
now_ns = time.perf_counter_ns


def place(job):
    """Where to connect, as keyword arguments."""
    if job.socket:
        return {"unix_socket_path": job.socket}
    if job.ca:
        return {"host": "localhost", "port": job.port, "ssl": True, "ssl_ca_certs": job.ca}
    return {"host": job.host, "port": job.port}


def one_at_a_time(job, client, tally):
    get, put, note = client.get, client.set, tally.latencies.append
    while job.running:
        key = tally.next_key()
        writes = tally.writes()
        began = now_ns()
        reply = put(job.names[key], job.value(key)) if writes else get(job.names[key])
        note(now_ns() - began)
        tally.stored(reply) if writes else tally.value(key, reply)


def blocking(job, client):
    tallies = [job.tally() for _ in range(job.concurrency)]
    if job.concurrency == 1:
        return lambda: one_at_a_time(job, client, tallies[0])
    threads = [
        threading.Thread(target=one_at_a_time, args=(job, client, tally)) for tally in tallies
    ]

    def work():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return work


def batch(job, client):
    tally = job.tally()

    def work():
        while job.running:
            keys = [tally.next_key() for _ in range(job.batch)]
            writes = tally.writes()
            began = now_ns()
            pipe = client.pipeline(transaction=False)
            for key in keys:
                pipe.set(job.names[key], job.value(key)) if writes else pipe.get(job.names[key])
            replies = pipe.execute()
            tally.latencies.append(now_ns() - began)
            for key, reply in zip(keys, replies):
                tally.stored(reply) if writes else tally.value(key, reply)

    return work


def mget(job, client):
    tally = job.tally()

    def work():
        while job.running:
            keys = [tally.next_key() for _ in range(job.batch)]
            began = now_ns()
            replies = client.mget([job.names[key] for key in keys])
            tally.latencies.append(now_ns() - began)
            for key, reply in zip(keys, replies):
                tally.value(key, reply)

    return work


async def task(job, client, tally):
    turn = 0
    while job.running:
        key = tally.next_key()
        writes = tally.writes()
        turn += 1
        began = now_ns() if turn % TIMED_EVERY == 1 else 0
        reply = await (
            client.set(job.names[key], job.value(key)) if writes else client.get(job.names[key])
        )
        if began:
            tally.latencies.append(now_ns() - began)
        tally.stored(reply) if writes else tally.value(key, reply)


def tasks(job, module):
    tallies = [job.tally() for _ in range(job.concurrency)]

    async def everything():
        client = module.asyncio.Redis(**place(job))
        await asyncio.gather(*[task(job, client, tally) for tally in tallies])
        await client.aclose()

    return lambda: asyncio.run(everything())


def main():
    job = Job()
    module = importlib.import_module(MODULE)
    name = {"redis": "redis-py", "valkey": "valkey-py"}.get(MODULE, MODULE)
    if job.mode == "async":
        importlib.import_module(f"{MODULE}.asyncio")
        work = tasks(job, module)
    else:
        client = getattr(module, "Redis", None) or module.Valkey
        work = {"blocking": blocking, "batch": batch, "mget": mget}[job.mode](
            job, client(**place(job))
        )
    job.run(work, name, module.__version__)


main()
