"""What every Python driver shares: the job, the clock, the checks and the answer.

bench/README.md describes the protocol. A driver hands a peer (what its library does in its own
way) to blocking.py or tasks.py, which do the work of each mode: they start the clock, loop while
`job.running`, report every reply to a tally, and note latencies.
"""

import json
import resource
import sys
import threading
import time
from array import array

CONTENT_EVERY = 1000
# Of commands in flight one in so many is timed; readings of the clock cost as well.
TIMED_EVERY = 16
HASHES = 10
CHANNEL = "bench"
SLOW_NS = 100_000_000
# All workers together keep so many latencies.
LATENCIES = 1 << 18
# After a failed call in a failover.
REST_SECONDS = 0.01


class Latencies:
    """
    The last nanoseconds noted, in memory that is touched before the clock starts: a client that is
    faster, and so has more to note, must not look like one that needs more memory.
    """

    def __init__(self, room):
        self.noted = array("q", [-1]) * room
        self.room = room
        self.count = 0

    def append(self, ns):
        self.noted[self.count % self.room] = ns
        self.count += 1

    def between(self, first, last):
        """Those from number `first` on and before number `last`, as far as they are kept."""
        first = max(first, self.count - self.room)
        return [self.noted[number % self.room] for number in range(first, last)]


class Tally:
    """What one worker has done."""

    def __init__(self, job, index):
        self.job = job
        self.index = index
        self.turn = index * 37
        self.ops = self.errors = 0
        self.complaint = ""
        self.latencies = Latencies(max(256, LATENCIES // job.concurrency))
        self.troubles = []

    def next_key(self):
        """The index of the next key."""
        self.turn += 1
        return self.turn % self.job.keys

    def next_keys(self):
        """The indexes of as many keys as a batch has."""
        first = self.turn + 1
        self.turn += self.job.batch
        return [turn % self.job.keys for turn in range(first, self.turn + 1)]

    def writes(self):
        return self.job.op == "set" or (self.job.op == "mixed" and self.turn % 5 == 0)

    def value(self, key, data):
        """Checks the reply to a GET: bytes of the right length, one in a thousand compared."""
        self.ops += 1
        if data is None or len(data) != self.job.value_bytes:
            self.error("a value has the wrong length")
        elif self.ops % CONTENT_EVERY == 1 and data != self.job.contents[key]:
            self.error("a value has the wrong content")

    def stored(self, reply):
        """Checks the reply to a SET."""
        self.ops += 1
        if reply is not True and reply not in ("OK", b"OK"):
            self.error("SET did not answer OK")

    def values(self, keys, replies):
        """Checks many values as value() does one."""
        until_next = -self.ops % CONTENT_EVERY
        self.ops += len(replies)
        sizes = [-1 if reply is None else len(reply) for reply in replies]
        if sizes.count(self.job.value_bytes) != len(keys):
            self.error("values are missing or have the wrong length")
        elif until_next < len(keys) and replies[until_next] != self.job.contents[keys[until_next]]:
            self.error("a value has the wrong content")

    def batch(self, writes, keys, replies):
        """Checks the replies to a pipeline or an MGET."""
        if not writes:
            self.values(keys, replies)
            return
        if len(replies) != len(keys):
            self.error("a pipeline has the wrong number of replies")
        for reply in replies:
            self.stored(reply)

    def hash(self, index, reply):
        """Checks the reply to a HGETALL: every field that the hash must have."""
        fields = self.job.fields
        if len(reply) != len(fields):
            self.error("a hash has the wrong number of fields")
        keys = range(index, index + len(fields))
        self.values(keys, [reply.get(field) for field in fields])

    def pong(self, reply):
        self.ops += 1
        if reply is not True and reply not in ("PONG", b"PONG"):
            self.error("PING did not answer PONG")

    def error(self, text):
        self.errors += 1
        self.complaint = self.complaint or text

    def called(self, began, failure):
        """A call of a failover has ended; `failure` is its exception or None."""
        ended = time.perf_counter_ns()
        self.latencies.append(ended - began)
        if failure or ended - began > SLOW_NS:
            self.troubles.append((began, ended, type(failure).__name__ if failure else None))


def peak_kib():
    """The peak of this program's memory; getrusage begins with what the runner had at its fork."""
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))


class Job:
    """The words of the runner."""

    def __init__(self):
        words = dict(word.split("=", 1) for word in sys.argv[1:])
        self.words = words
        self.host, self.port = words.get("host", "127.0.0.1"), int(words.get("port", 6379))
        self.socket, self.ca = words.get("socket", ""), words.get("ca", "")
        self.cluster = words.get("cluster") == "yes"
        self.resume = words.get("resume") == "yes"
        self.mode, self.op = words.get("mode", "blocking"), words.get("op", "get")
        self.value_bytes = int(words.get("value_bytes", 100))
        self.concurrency = int(words.get("concurrency", 1))
        self.batch = int(words.get("batch", 1))
        self.keys = int(words.get("keys", 1000))
        self.warmup = float(words.get("warmup", 0.3))
        self.seconds = float(words.get("seconds", 1))
        with open(words["values"], "rb") as file:
            values = file.read(self.value_bytes + self.keys)
        self.contents = [values[key : key + self.value_bytes] for key in range(self.keys)]
        self.names = [f"key:{key:012}" for key in range(self.keys)]
        self.hashes = [f"hash:{index:012}" for index in range(HASHES)]
        self.fields = [b"field:%03d" % number for number in range(self.batch)]
        self.running = True
        self.clock = threading.Thread(target=self.keep_time, daemon=True)
        self.tallies = []

    def tally(self):
        """One for each worker, made before the clock starts."""
        self.tallies.append(Tally(self, len(self.tallies)))
        return self.tallies[-1]

    def snapshot(self):
        use = resource.getrusage(resource.RUSAGE_SELF)
        return (
            time.perf_counter_ns(),
            use.ru_utime + use.ru_stime,
            sum(tally.ops for tally in self.tallies),
            [tally.latencies.count for tally in self.tallies],
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

    def start(self):
        """The client is connected: the clock starts."""
        self.clock.start()

    def run(self, work, client, version):
        """Runs `work()`, which starts the clock and sees when `running` is over, then answers."""
        work()
        self.clock.join()
        self.answer(client, version)

    def troubles(self):
        """What a failover did to the calls that were begun while it was measured."""
        first, last = self.began[0], self.ended[0]
        met = [
            trouble
            for tally in self.tallies
            for trouble in tally.troubles
            if first <= trouble[0] <= last
        ]
        kinds = [kind for _, _, kind in met if kind]
        return {
            "failed": len(kinds),
            "slow": sum(1 for began, ended, _ in met if ended - began > SLOW_NS),
            "slowest_ms": max((ended - began for began, ended, _ in met), default=0) / 1e6,
            "first_trouble_ms": (min(one[0] for one in met) - first) / 1e6 if met else None,
            "last_trouble_ms": (max(one[1] for one in met) - first) / 1e6 if met else None,
            "kinds": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
        }

    def answer(self, client, version):
        began, ended = self.began, self.ended
        rss_kib = peak_kib()
        timed = sorted(
            latency
            for tally, first, last in zip(self.tallies, began[3], ended[3])
            for latency in tally.latencies.between(first, last)
        )

        def at(share):
            return timed[min(int(len(timed) * share), len(timed) - 1)] / 1000 if timed else None

        told = {
            "client": client,
            "version": version,
            "mode": self.mode,
            "ops": ended[2] - began[2],
            "seconds": (ended[0] - began[0]) / 1e9,
            "errors": sum(tally.errors for tally in self.tallies),
            "complaint": "".join(tally.complaint for tally in self.tallies)[:200],
            "p50_us": at(0.5),
            "p99_us": at(0.99),
            "p999_us": at(0.999),
            "cpu_us": (ended[1] - began[1]) * 1e6,
            "rss_kib": rss_kib,
            "extra": self.troubles() if self.mode == "failover" else {},
        }
        print(json.dumps(told), flush=True)
