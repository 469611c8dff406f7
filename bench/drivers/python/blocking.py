"""The work of clients whose calls block, in as many threads as the job says.

A peer has open() and close(client); pipeline(client, names, values), where values is None for GET;
publish(client, messages); subscribe(client), whose result gives the next message's data at each
call; lease(client), a context with a connection of its own; and reconnect(client), which lets it
open its next connection anew. Clients have get, set, mget, hgetall and ping.
"""

import threading
import time

from job import HASHES, REST_SECONDS

now_ns = time.perf_counter_ns


def one_at_a_time(job, client, tally):
    get, put, note = client.get, client.set, tally.latencies.append
    while job.running:
        key = tally.next_key()
        writes = tally.writes()
        began = now_ns()
        reply = put(job.names[key], job.contents[key]) if writes else get(job.names[key])
        note(now_ns() - began)
        tally.stored(reply) if writes else tally.value(key, reply)


def leased(job, peer, client, tally):
    with peer.lease(client) as own:
        one_at_a_time(job, own, tally)


def failover(job, client, tally):
    while job.running:
        key = tally.next_key()
        writes = tally.writes()
        name = job.names[key]
        began = now_ns()
        try:
            reply = client.set(name, job.contents[key]) if writes else client.get(name)
        except Exception as failure:
            tally.called(began, failure)
            time.sleep(REST_SECONDS)
            continue
        tally.called(began, None)
        tally.stored(reply) if writes else tally.value(key, reply)


def batches(job, peer, client, tally):
    while job.running:
        keys = tally.next_keys()
        writes = tally.writes()
        began = now_ns()
        names = [job.names[key] for key in keys]
        values = [job.contents[key] for key in keys] if writes else None
        replies = peer.pipeline(client, names, values)
        tally.latencies.append(now_ns() - began)
        tally.batch(writes, keys, replies)


def mget(job, client, tally):
    while job.running:
        keys = tally.next_keys()
        began = now_ns()
        replies = client.mget([job.names[key] for key in keys])
        tally.latencies.append(now_ns() - began)
        tally.batch(False, keys, replies)


def hashes(job, client, tally):
    while job.running:
        index = tally.next_key() % HASHES
        began = now_ns()
        reply = client.hgetall(job.hashes[index])
        tally.latencies.append(now_ns() - began)
        tally.hash(index, reply)


def connect(job, peer, tally):
    while job.running:
        began = now_ns()
        client = peer.open()
        reply = client.ping()
        peer.close(client)
        tally.latencies.append(now_ns() - began)
        tally.pong(reply)


def reconnect(job, peer, client, tally):
    while job.running:
        began = now_ns()
        peer.reconnect(client)
        reply = client.ping()
        tally.latencies.append(now_ns() - began)
        tally.pong(reply)


def subscribe(job, peer, client, tally):
    next_message = peer.subscribe(client)
    while job.running:
        keys = tally.next_keys()
        began = now_ns()
        peer.publish(client, [job.contents[key] for key in keys])
        for key in keys:
            tally.value(key, next_message())
        tally.latencies.append(now_ns() - began)


def together(job, worker, client):
    """Runs `worker` in as many threads as the job says."""
    tallies = [job.tally() for _ in range(job.concurrency)]
    job.start()
    if job.concurrency == 1:
        worker(job, client, tallies[0])
        return
    threads = [threading.Thread(target=worker, args=(job, client, tally)) for tally in tallies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def alone(job, peer, client):
    """The work of one thread."""
    tally = job.tally()
    job.start()
    simple = {"mget": mget, "hash": hashes}.get(job.mode)
    if simple:
        simple(job, client, tally)
    else:
        special = {"batch": batches, "connect": reconnect, "subscribe": subscribe}[job.mode]
        special(job, peer, client, tally)


def work(job, peer):
    """Does the job."""
    if job.mode == "connect" and not job.resume:
        tally = job.tally()
        job.start()
        connect(job, peer, tally)
        return
    client = peer.open()
    client.ping()
    shared = {"blocking": one_at_a_time, "failover": failover}.get(job.mode)
    if shared:
        together(job, shared, client)
    elif job.mode == "lease":
        together(job, lambda job, client, tally: leased(job, peer, client, tally), client)
    else:
        alone(job, peer, client)
    peer.close(client)
