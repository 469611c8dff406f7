"""What every Python driver shares: the job, the clock, the checks and the answer.

bench/README.md describes the protocol. A driver gives Job.run one function per mode; a worker loops
while `job.running`, reports every reply to its tally, and notes latencies.
"""

import json
import resource
import sys
import threading
import time

CONTENT_EVERY = 1000
# Of commands in flight one in so many is timed; readings of the clock cost as well.
TIMED_EVERY = 16


class Tally:
    """What one worker has done."""

    def __init__(self, job, index):
        self.job = job
        self.turn = index * 37
        self.ops = self.errors = 0
        self.complaint = ""
        self.latencies = []

    def next_key(self):
        """The index of the next key."""
        self.turn += 1
        return self.turn % self.job.keys

    def writes(self):
        return self.job.op == "set" or (self.job.op == "mixed" and self.turn % 5 == 0)

    def value(self, key, data):
        """Checks the reply to a GET: bytes of the right length, one in a thousand compared."""
        self.ops += 1
        job = self.job
        if data is None or len(data) != job.value_bytes:
            self.error("a value has the wrong length")
        elif self.ops % CONTENT_EVERY == 1 and data != job.value(key):
            self.error("a value has the wrong content")

    def stored(self, reply):
        """Checks the reply to a SET."""
        self.ops += 1
        if reply is not True and reply not in ("OK", b"OK"):
            self.error("SET did not answer OK")

    def error(self, text):
        self.errors += 1
        self.complaint = self.complaint or text


class Job:
    """The words of the runner."""

    def __init__(self):
        words = dict(word.split("=", 1) for word in sys.argv[1:])
        self.words = words
        self.host, self.port = words.get("host", "127.0.0.1"), int(words.get("port", 6379))
        self.socket, self.ca = words.get("socket", ""), words.get("ca", "")
        self.mode, self.op = words.get("mode", "blocking"), words.get("op", "get")
        self.value_bytes = int(words.get("value_bytes", 100))
        self.concurrency = int(words.get("concurrency", 1))
        self.batch = int(words.get("batch", 1))
        self.keys = int(words.get("keys", 1000))
        self.warmup = float(words.get("warmup", 0.3))
        self.seconds = float(words.get("seconds", 1))
        with open(words["values"], "rb") as file:
            self.values = file.read(self.value_bytes + self.keys)
        self.names = [f"key:{key:012}" for key in range(self.keys)]
        self.running = True
        self.tallies = []

    def value(self, key):
        return self.values[key : key + self.value_bytes]

    def tally(self):
        """One for each worker, made before the clock starts."""
        self.tallies.append(Tally(self, len(self.tallies)))
        return self.tallies[-1]

    def snapshot(self):
        use = resource.getrusage(resource.RUSAGE_SELF)
        return (
            time.perf_counter(),
            use.ru_utime + use.ru_stime,
            sum(tally.ops for tally in self.tallies),
            [len(tally.latencies) for tally in self.tallies],
        )

    def keep_time(self):
        """Runs in a thread of its own, asleep but for two moments."""
        time.sleep(self.warmup)
        print("begin", flush=True)
        self.began = self.snapshot()
        time.sleep(self.seconds)
        self.ended = self.snapshot()
        print("end", flush=True)
        self.running = False

    def run(self, work, client, version):
        """Runs `work()` until it has seen that `running` is over, then answers the runner."""
        clock = threading.Thread(target=self.keep_time, daemon=True)
        clock.start()
        work()
        clock.join()
        self.answer(client, version)

    def answer(self, client, version):
        began, ended = self.began, self.ended
        timed = sorted(
            latency
            for tally, first, last in zip(self.tallies, began[3], ended[3])
            for latency in tally.latencies[first:last]
        )

        def at(share):
            return timed[min(int(len(timed) * share), len(timed) - 1)] / 1000 if timed else None

        told = {
            "client": client,
            "version": version,
            "mode": self.mode,
            "ops": ended[2] - began[2],
            "seconds": ended[0] - began[0],
            "errors": sum(tally.errors for tally in self.tallies),
            "complaint": "".join(tally.complaint for tally in self.tallies)[:200],
            "p50_us": at(0.5),
            "p99_us": at(0.99),
            "p999_us": at(0.999),
            "cpu_us": (ended[1] - began[1]) * 1e6,
            "rss_kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
            "extra": {},
        }
        print(json.dumps(told), flush=True)
