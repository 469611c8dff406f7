"""redis-benchmark as a reference line: a load generator that checks nothing and hands nothing out.

It takes a number of requests, not a time, so a short run finds the number. Its CPU includes its
start, its latencies are its own."""

import csv
import json
import resource
import subprocess
import sys
import time

WORDS = dict(word.split("=", 1) for word in sys.argv[1:])
PROBE_REQUESTS = 20000


def command(requests):
    place = (
        ["-s", WORDS["socket"]]
        if WORDS.get("socket")
        else ["-h", "localhost" if WORDS.get("ca") else WORDS["host"], "-p", WORDS["port"]]
    )
    tls = ["--tls", "--cacert", WORDS["ca"]] if WORDS.get("ca") else []
    counts = ["-n", requests, "-r", WORDS["keys"], "-d", WORDS["value_bytes"]]
    load = ["-c", WORDS["concurrency"], "-P", WORDS["batch"], "-t", WORDS["op"], "--csv"]
    return ["redis-benchmark", *place, *tls, *[str(word) for word in counts + load]]


def run(requests):
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    text = subprocess.run(command(requests), check=True, capture_output=True, text=True).stdout
    took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return took, cpu, after.ru_maxrss, next(csv.DictReader(text.splitlines()))


def version():
    text = subprocess.run(["redis-benchmark", "--version"], capture_output=True, text=True).stdout
    return text.split()[1] if len(text.split()) > 1 else "?"


def main():
    took = run(PROBE_REQUESTS)[0]
    requests = max(PROBE_REQUESTS, int(PROBE_REQUESTS / took * float(WORDS["seconds"])))
    print("begin", flush=True)
    took, cpu, rss, row = run(requests)
    print("end", flush=True)
    micro = {name: float(row[f"{name}_latency_ms"]) * 1000 for name in ("p50", "p99")}
    answer = {
        "client": "redis-benchmark",
        "version": version(),
        "mode": WORDS["mode"],
        "ops": requests,
        "seconds": requests / float(row["rps"]),
        "errors": 0,
        "complaint": "",
        "p50_us": micro["p50"],
        "p99_us": micro["p99"],
        "p999_us": None,
        "cpu_us": cpu * 1e6,
        "rss_kib": rss,
        "extra": {},
    }
    print(json.dumps(answer))


main()
