"""Every form in spec/commands/replies.json is what a server answers over RESP3.

    python3 tests/integration/replies.py [SERVER-PROGRAM]

Calls each example on the fixture's data and compares, on a server of its own and, for the commands
of a cluster, on one in cluster mode. What the server is too old for may be answered with an error.
"""

import hashlib
import pathlib
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/gen"))

import replies  # noqa: E402
import surface  # noqa: E402

DIGEST = hashlib.sha1(b"return 1").hexdigest()


class Error(str):
    pass


class Status(str):
    pass


class Verbatim(str):
    pass


class Set(list):
    pass


class Map(list):
    """Pairs of key and value."""


class Peer:
    """One connection that speaks RESP3."""

    def __init__(self, port):
        deadline = time.monotonic() + 30
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self.port, self.stream = port, self.socket.makefile("rwb")
        self.say("HELLO", "3")

    def say(self, *words):
        words = [word.encode() for word in words]
        frame = b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)
        self.stream.write(b"*%d\r\n" % len(words) + frame)
        self.stream.flush()
        return self.read()

    def text(self, size):
        return self.stream.read(size + 2)[:-2].decode("latin-1")

    def read(self):
        line = self.stream.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:].decode("latin-1")
        if kind in b"-+":
            return (Error if kind == b"-" else Status)(rest)
        if kind == b"$":
            return self.text(int(rest))
        if kind == b"=":
            return Verbatim(self.text(int(rest))[4:])
        if kind == b":":
            return int(rest)
        if kind == b",":
            return float(rest)
        if kind == b"#":
            return rest == "t"
        if kind == b"%":
            return Map((self.read(), self.read()) for _ in range(int(rest)))
        if kind in b"*~":
            return (list if kind == b"*" else Set)(self.read() for _ in range(int(rest)))
        return None


KINDS = {
    "status": Status,
    "string": str,
    "integer": int,
    "double": float,
    "boolean": bool,
    "verbatim": Verbatim,
}


class Matcher:
    def __init__(self, known):
        self.known = known

    def fits(self, form, value):
        kind = form[0]
        if kind in KINDS:
            return type(value) is KINDS[kind]
        return getattr(self, kind.replace("-", "_"))(form, value)

    def any(self, form, value):
        return True

    def maybe(self, form, value):
        return value is None or self.fits(form[1], value)

    def named(self, form, value):
        return self.fits(self.known.shapes[form[1]], value)

    def list(self, form, value):
        return type(value) is list and all(self.fits(form[1], one) for one in value)

    def set(self, form, value):
        return type(value) is Set and all(self.fits(form[1], one) for one in value)

    def no_set(self, form, value):
        return type(value) is Set and not value

    def tuple(self, form, value):
        _, items, rest = form
        if type(value) is not list or len(value) < len(items):
            return False
        behind = value[len(items) :]
        first = all(self.fits(item, one) for item, one in zip(items, value))
        return first and (not behind or rest and all(self.fits(rest, one) for one in behind))

    def map(self, form, value):
        fits = self.fits
        return type(value) is Map and all(fits(form[1], k) and fits(form[2], v) for k, v in value)

    def record(self, form, value):
        """Other servers have other fields; but one of ours there must be."""
        if type(value) is not Map:
            return False
        known = [(key, one) for key, one in value if key in form[1]]
        return (known or not value) and all(self.fits(form[1][key], one) for key, one in known)


# A choice is one of several forms; its name is a word of Python.
setattr(Matcher, "or", lambda self, form, value: any(self.fits(one, value) for one in form[1]))


class Server:
    def __init__(self, program, *arguments):
        self.folder = tempfile.mkdtemp(prefix="tendon-replies-")
        for _ in range(5):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1] // 2  # its cluster bus is 10000 above
            argv = [program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", ""]
            argv += ["--dir", self.folder, "--latency-monitor-threshold", "1", *arguments]
            self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
            time.sleep(0.1)
            if self.process.poll() is None:
                break

    def end(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def words_of(text, node):
    return [
        word.replace("{sha}", DIGEST).replace("{id}", node).replace("\\n", "\n")
        for word in shlex.split(text)
    ]


def call(peer, fixture, row, node):
    peer.say("DEL", *fixture.keys)
    for words in fixture.make:
        answer = peer.say(*words)
        if isinstance(answer, Error):
            raise SystemExit(f"the fixture's {words} is answered with {answer}")
    for text in row.get("before", []):
        peer.say(*words_of(text, node))
    answer = peer.say(*words_of(row["call"], node))
    for text in row.get("after", []):
        peer.say(*words_of(text, node))
    return answer


def holds(matcher, rule, answer):
    row = rule.row
    if isinstance(answer, Error):
        return answer.startswith(row["error"]) if "error" in row else "since" in row
    return "error" not in row and matcher.fits(rule.form, answer)


def compare(alone, cluster):
    """The lines of what is wrong, and how many calls there were."""
    known, facts, fixture = replies.Replies(ROOT), surface.facts(ROOT), surface.Fixture(ROOT)
    node = cluster.say("CLUSTER", "MYID")
    matcher, wrong, count = Matcher(known), [], 0
    for name, rules in known.commands.items():
        for rule in [rule for rule in rules if "call" in rule.row]:
            count += 1
            in_cluster = facts[name]["group"] == "cluster"
            peer = cluster if in_cluster else alone
            answer = call(peer, fixture, rule.row, node)
            if not holds(matcher, rule, answer):
                wrong.append(f"{rule.row['call']}: {answer!r:.300} is no {rule.text}")
            if name in ("QUIT", "RESET"):
                alone = Peer(alone.port)
    return wrong, count


def main():
    program = sys.argv[1] if len(sys.argv) > 1 else "redis-server"
    servers = [Server(program), Server(program, "--cluster-enabled", "yes")]
    try:
        alone, cluster = [Peer(server.port) for server in servers]
        cluster.say("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
        deadline = time.monotonic() + 30
        while isinstance(cluster.say("SET", "ready", "yes"), Error):
            if time.monotonic() > deadline:
                raise SystemExit("the server in cluster mode does not get ready")
            time.sleep(0.05)
        wrong, count = compare(alone, cluster)
    finally:
        for server in servers:
            server.end()
    for line in wrong:
        print("#", line)
    print("not ok" if wrong else "ok", f"1 - {count} calls answer in the form that is written down")
    print("1..1")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
