"""The work of clients for asyncio; as many tasks as the job says share one client.

A peer has client(), a context with a client that is connected; subscription(client), a context with
a function for the next message's data; pipeline, publish and reconnect as in blocking.py.
"""

import asyncio
import time

from job import HASHES, REST_SECONDS, TIMED_EVERY

now_ns = time.perf_counter_ns


async def one_at_a_time(job, client, tally, every=1):
    turn = tally.index
    while job.running:
        key = tally.next_key()
        writes = tally.writes()
        turn += 1
        began = now_ns() if turn % every == 0 else 0
        name = job.names[key]
        reply = await (client.set(name, job.contents[key]) if writes else client.get(name))
        if began:
            tally.latencies.append(now_ns() - began)
        tally.stored(reply) if writes else tally.value(key, reply)


async def in_flight(job, client, tally):
    await one_at_a_time(job, client, tally, TIMED_EVERY if job.concurrency > 1 else 1)


async def failover(job, client, tally):
    while job.running:
        key = tally.next_key()
        writes = tally.writes()
        name = job.names[key]
        began = now_ns()
        try:
            reply = await (client.set(name, job.contents[key]) if writes else client.get(name))
        except Exception as failure:
            tally.called(began, failure)
            await asyncio.sleep(REST_SECONDS)
            continue
        tally.called(began, None)
        tally.stored(reply) if writes else tally.value(key, reply)


async def batches(job, peer, client, tally):
    while job.running:
        keys = tally.next_keys()
        writes = tally.writes()
        began = now_ns()
        names = [job.names[key] for key in keys]
        values = [job.contents[key] for key in keys] if writes else None
        replies = await peer.pipeline(client, names, values)
        tally.latencies.append(now_ns() - began)
        tally.batch(writes, keys, replies)


async def mget(job, client, tally):
    while job.running:
        keys = tally.next_keys()
        began = now_ns()
        replies = await client.mget([job.names[key] for key in keys])
        tally.latencies.append(now_ns() - began)
        tally.batch(False, keys, replies)


async def hashes(job, client, tally):
    while job.running:
        index = tally.next_key() % HASHES
        began = now_ns()
        reply = await client.hgetall(job.hashes[index])
        tally.latencies.append(now_ns() - began)
        tally.hash(index, reply)


async def connect(job, peer, tally):
    job.start()
    while job.running:
        began = now_ns()
        async with peer.client() as client:
            reply = await client.ping()
        tally.latencies.append(now_ns() - began)
        tally.pong(reply)


async def reconnect(job, peer, client, tally):
    while job.running:
        began = now_ns()
        await peer.reconnect(client)
        reply = await client.ping()
        tally.latencies.append(now_ns() - began)
        tally.pong(reply)


async def subscribe(job, peer, client, tally):
    async with peer.subscription(client) as next_message:
        while job.running:
            keys = tally.next_keys()
            began = now_ns()
            await peer.publish(client, [job.contents[key] for key in keys])
            for key in keys:
                tally.value(key, await next_message())
            tally.latencies.append(now_ns() - began)


async def warm(job, client, tallies):
    """
    Lets a pool open its connections, to all nodes of a cluster, before the clock starts: some more
    at a time, because a hundred TLS handshakes at once outlast the time that peers give one.
    """
    step = max(1, len(tallies) // 10)
    for count in range(step, len(tallies) + step, step):
        keys = [tally.next_key() for tally in tallies[:count]]
        await asyncio.gather(*[client.get(job.names[key]) for key in keys])


async def with_client(job, peer, tallies):
    shared = {"blocking": one_at_a_time, "async": in_flight, "failover": failover}.get(job.mode)
    simple = {"mget": mget, "hash": hashes}.get(job.mode)
    special = {"batch": batches, "connect": reconnect, "subscribe": subscribe}.get(job.mode)
    async with peer.client() as client:
        await warm(job, client, tallies)
        job.start()
        if shared:
            await asyncio.gather(*[shared(job, client, tally) for tally in tallies])
        elif simple:
            await simple(job, client, tallies[0])
        else:
            await special(job, peer, client, tallies[0])


def work(job, peer):
    """Does the job."""
    tallies = [job.tally() for _ in range(job.concurrency)]
    if job.mode == "connect" and not job.resume:
        asyncio.run(connect(job, peer, tallies[0]))
    else:
        asyncio.run(with_client(job, peer, tallies))
