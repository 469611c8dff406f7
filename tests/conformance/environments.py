"""Where programs run: which servers, how a client reaches them, and what they hold at the end."""

import pathlib

import resp

HOST = "localhost"
# Behind faults a command has this long, so that a stall costs no more.
CALM_TIMEOUT_MS = 300
TIMEOUT_MS = 20000
# Every key with what identifies its value.
STATE = (
    "local all = {} for _, key in ipairs(redis.call('KEYS', '*')) do"
    " all[#all + 1] = key; all[#all + 1] = redis.sha1hex(redis.call('DUMP', key)) end return all"
)


class Environment:
    """One of the ways to run a program."""

    def __init__(self, name, kind, ports, options, tls=None, proxy=None):
        self.name = name
        self.kind = kind
        self.ports = ports
        self.options = options
        self.tls = tls
        self.proxy = proxy

    @property
    def is_cluster(self):
        return self.kind == "cluster"

    def connect_words(self):
        """What stands for HERE behind `connect`."""
        port = self.proxy.port if self.proxy else self.ports[0]
        words = [self.kind, HOST, port, *self.options]
        words += ["timeout_ms", CALM_TIMEOUT_MS if self.proxy else TIMEOUT_MS]
        return [str(word).encode() for word in words]

    def fill_in(self, program):
        """The program for this environment."""
        here = self.connect_words()
        return {
            thread: [words[:-1] + here if words[-1] == b"HERE" else words for words in code]
            for thread, code in program.items()
        }

    def connections(self):
        return [resp.Connection(port, self.tls, timeout_s=30) for port in self.ports]

    def clean(self):
        for connection in self.connections():
            with connection:
                if self.proxy:
                    # What an earlier program gave up may still be on its way to the server.
                    connection.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
                connection.call("FLUSHALL")

    def state(self):
        """Key -> digest of its DUMP, over all primaries."""
        found = {}
        for connection in self.connections():
            with connection:
                words = connection.call("EVAL", STATE, "0")
                found.update(zip(words[::2], words[1::2]))
        return found

    def at(self, name, ports, network=None):
        """The same on other servers, maybe behind a faulty network."""
        return Environment(name, self.kind, ports, self.options, self.tls, network)


def all_of(servers):
    """The environments that a servers.json offers, by name; places.py has those with faults."""
    ca = ["tls_ca", servers["ca_file"]]
    client = str(pathlib.Path(servers["ca_file"]).parent / "client")
    tls = {"ca": servers["ca_file"], "cert": f"{client}.crt", "key": f"{client}.key"}
    port = servers["standalone"]["port"]
    primaries = [node["port"] for node in servers["cluster"]["nodes"] if node["role"] == "primary"]
    singles = [
        Environment("resp2", "standalone", [port], ["protocol", "2"]),
        Environment("resp3", "standalone", [port], ["protocol", "3"]),
        Environment("tls", "standalone", [servers["tls"]["port"]], ["protocol", "3", *ca], tls),
    ]
    cluster = Environment("cluster", "cluster", primaries, ["protocol", "3"])
    return {environment.name: environment for environment in [*singles, cluster]}
