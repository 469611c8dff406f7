"""One sample: runs one driver once, beside it reads the clocks of server and machine."""

import json
import os
import select
import signal
import subprocess
import sys
import time

from console import end_with_parent

from . import machine, plan

# More than this of one core used by others on the cores of the sample, while it ran, spoils it.
FOREIGN_SHARE_MAX = 0.12
# What a driver may take beyond its own seconds: starting a JVM, connecting, sorting.
GRACE_SECONDS = 40
# A primary that is killed has to be missed, replaced and known.
FAILOVER_SECONDS = 10.0
# Until the compilers at run time have seen the code; also in a quick run.
WARMUP_SECONDS_MIN = {"node": 0.7, "java": 5.0}


class Sample:
    """What one run of a driver gave; `foreign`: what others used of its cores, in cores."""

    def __init__(self, answer, server_us, foreign, stolen):
        self.answer = answer
        self.server_us = server_us
        self.foreign = foreign
        self.stolen = stolen
        self.disturbed = foreign > FOREIGN_SHARE_MAX


class Trouble(Exception):
    """A driver that cannot do the work; the text says why."""


def timing_of(cell, timing):
    warmup = max(timing["warmup"], WARMUP_SECONDS_MIN.get(cell.client.language, 0))
    seconds = FAILOVER_SECONDS if cell.workload.mode == "failover" else timing["seconds"]
    return {"seconds": seconds, "warmup": warmup}


def words(cell, place, values, timing):
    """The job as the driver is told it; a client's own words win over the workload's."""
    work = cell.workload
    told = [*place.words(work), f"values={values}", f"mode={work.mode}", f"op={work.op}"]
    told += [f"resume={work.resume}"] if work.resume else []
    told += [f"{name}={value}" for name, value in {**work.numbers, **timing}.items()]
    pairs = dict(word.split("=", 1) for word in told + cell.client.modes[work.mode])
    return [f"{name}={value}" for name, value in pairs.items()]


def places(client, out, env):
    """What the words in braces of clients.json stand for."""
    return {
        "out": out,
        "here": plan.BENCH / "drivers" / client.language,
        "python": sys.executable,
        "root": plan.BENCH.parent,
        "tendon_out": env["TENDON_OUT"],
    }


def command(cell, out, env):
    known = places(cell.client, out, env)
    return [part.format(**known) for part in cell.client.command]


def environment(cell, out, env):
    known = places(cell.client, out, env)
    more = {name: text.format(**known) for name, text in cell.client.environment.items()}
    return {**os.environ, **env, **more}


def placement(work):
    """The cores of client and server."""
    client, server = machine.cores()
    if work.placement == "free":
        return os.sched_getaffinity(0), os.sched_getaffinity(0)
    if work.placement == "same-core":
        return {server}, {server}
    return {client}, {server}


def start(argv, cpus, env, urgent):
    def before():
        end_with_parent()
        os.sched_setaffinity(0, cpus)
        if urgent:
            machine.hurry()

    return subprocess.Popen(
        argv,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=before,
    )


def lines_of(process, deadline):
    """The lines a driver prints, as they come; Trouble when it takes too long."""
    waiting = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
            raise Trouble("took too long")
        piece = os.read(process.stdout.fileno(), 65536)
        if not piece:
            return
        *whole, waiting = (waiting + piece).split(b"\n")
        for line in whole:
            yield line.decode(errors="replace").strip()


def reason(text):
    """The line of what a driver complained that says most."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line for line in lines if "rror" in line]
    return (told[-1:] or lines[-1:] or ["gave no answer"])[0][:300]


def seconds_of(nodes):
    """CPU seconds of servers that are alive."""
    return sum(node.seconds() for node in nodes if node.process.poll() is None)


def listen(process, deadline, place):
    """Reads a driver to its end. Returns its answer and the servers' seconds while it measured."""
    began, ended, answer = None, None, None
    for line in lines_of(process, deadline):
        if line == "begin":
            began = seconds_of(place.nodes)
            place.begun()
        elif line == "end":
            ended = seconds_of(place.nodes)
        elif line.startswith("{"):
            answer = json.loads(line)
    if answer is None or began is None:
        raise Trouble(reason(process.stderr.read().decode(errors="replace")))
    if ended is None:
        ended = seconds_of(place.nodes)
    return answer, max(0.0, ended - began)


def take(cell, targets, timing, out, env):
    """Runs the driver of a cell once. Trouble when it fails or reports a wrong reply."""
    work = cell.workload
    place = targets.of(work)
    place.prepare(work)
    timing = timing_of(cell, timing)
    client_cpus, server_cpus = placement(work)
    for node in place.nodes:
        node.place(server_cpus)
    cores = client_cpus | server_cpus
    busy, stolen = machine.busy_seconds(cores)
    own, server = machine.own_seconds(), seconds_of(place.nodes)
    began = time.monotonic()
    process = start(
        command(cell, out, env) + words(cell, place, targets.values.path, timing),
        client_cpus,
        environment(cell, out, env),
        targets.urgent,
    )
    deadline = began + timing["seconds"] + timing["warmup"] + GRACE_SECONDS
    try:
        answer, server_seconds = listen(process, deadline, place)
        process.wait(5)
    except subprocess.TimeoutExpired:
        raise Trouble("did not end after its answer") from None
    finally:
        end(process)
        if cell.client.reference and work.op != "get":
            place.filled = None  # a load generator writes values of its own
    took = time.monotonic() - began
    now_busy, now_stolen = machine.busy_seconds(cores)
    used = machine.own_seconds() - own + seconds_of(place.nodes) - server
    if answer["errors"] or not answer["ops"]:
        raise Trouble(f"{answer['errors']} wrong replies: {answer.get('complaint', '')}")
    # What a killed server used is not known any more.
    foreign = max(0.0, (now_busy - busy - used) / took) if not place.kills_after else 0.0
    answer["kill_ms"] = place.kills_after and place.kills_after * 1000
    return Sample(answer, server_seconds * 1e6, foreign, (now_stolen - stolen) / took)


def end(process):
    """Ends the driver and all it started; they are a session of their own."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    process.stdout.close()
    process.stderr.close()
