"""Where the programs of a run are executed: each place has servers of its own, so that none waits
for another and all of them run at the same time.
"""

import collections
import contextlib
import shutil
import threading

import environments
import own_servers
import proxy
import servers as test_servers

FAULTS = "-faults"
PLAIN_NAMES = ("resp2", "resp3", "tls", "cluster")
NAMES = [f"{name}{more}" for more in ("", FAULTS) for name in PLAIN_NAMES]
# Programs behind faults wait nearly all the time, for deadlines and next attempts.
PLACES = {"cluster": 1, "cluster-faults": 8, "resp2-faults": 5, "resp3-faults": 5, "tls-faults": 5}
PLACES_OTHERWISE = 2
# Behind the ports of the test servers, before those of the next block.
FIRST_PORT, PORTS_MAX = 20, 80


class Ports:
    """Free ports, none of them given twice."""

    def __init__(self, base_port):
        self.next = iter(range(base_port + FIRST_PORT, base_port + FIRST_PORT + PORTS_MAX))
        self.lock = threading.Lock()

    def take(self, count, with_bus=False):
        with self.lock:
            found = list(self.free(with_bus, count))
        if len(found) < count:
            raise RuntimeError("no free port is left for a server")
        return found

    def free(self, with_bus, count):
        while count and (port := next(self.next, None)):
            if all(map(test_servers.port_free, [port, port + own_servers.BUS][: 1 + with_bus])):
                count -= 1
                yield port


def behind_faults(name):
    return name.endswith(FAULTS)


class Places:
    """Opens places, and knows what the faulty networks of all of them did."""

    def __init__(self, servers):
        self.plain = environments.all_of(servers)
        self.program = shutil.which(f"{servers['engine']}-server")
        self.ports = Ports(servers["base_port"])
        self.networks = collections.defaultdict(list)  # name of an environment -> its networks

    @contextlib.contextmanager
    def opened(self, name):
        """An environment of this name that nobody else uses. There is one plain cluster, whose
        shards have replicas."""
        plain = self.plain[name.replace(FAULTS, "")]
        if plain.is_cluster and not behind_faults(name):
            yield plain
            return
        if plain.is_cluster:
            cluster = own_servers.FaultyCluster(
                self.program, self.ports.take(own_servers.NODES, with_bus=True)
            )
            with cluster:
                yield plain.at(name, cluster.ports, self.network(name, cluster.proxies))
            return
        (port,) = self.ports.take(1)
        with own_servers.Server(self.program, port, tls=plain.tls):
            faulty = self.network(name, [proxy.Proxy(port)]) if behind_faults(name) else None
            yield plain.at(name, [port], faulty)

    def network(self, name, proxies):
        network = proxy.Network(proxies)
        self.networks[name].append(network)
        return network

    def faults(self):
        """Name of an environment -> fault -> in how many directions of connections."""
        return {
            name: sum((collections.Counter(each.counts()) for each in found), collections.Counter())
            for name, found in sorted(self.networks.items())
        }


def count(name, jobs):
    """How many places of an environment are worth their start."""
    return min(PLACES.get(name, PLACES_OTHERWISE), jobs)
