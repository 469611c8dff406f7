"""
What cluster clients have in common, and how blocking ones send; asyncio/_cluster.py has the other
way. The core discovers, routes and follows; here are names and result shapes.
"""

from __future__ import annotations

import random
from enum import Enum
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional
from typing import Sequence, Tuple, Type, TypeVar, Union

from tendon import _tables
from tendon._core import Core, key_slot
from tendon._encoder import Encoder, command_name
from tendon._keywords import DEFAULTS, IGNORED, ClusterKeywords
from tendon._options import check_names, default_retry, resolve
from tendon._routing import ALWAYS_BY_NODE, merging
from tendon._reply import raised
from tendon._retry import BaseRetry
from tendon._shapes import Callbacks
from tendon._url import parse_url
from tendon._client import BaseClient
from tendon.client import Client
from tendon.commands import RedisClusterCommands

# fmt: off
from tendon.exceptions import (
    ClusterUnavailableError, ConfigurationError, DataError, RedisClusterException, RedisError,
    SlotNotCoveredError,
)
# fmt: on
from tendon.monitor import Monitor
from tendon.pipeline import Pipeline

R = TypeVar("R", bound="BaseCluster")
PRIMARY, REPLICA = "primary", "replica"
_COUNTING = ("DEL", "EXISTS", "UNLINK", "TOUCH")


class LoadBalancingStrategy(Enum):
    """Where read-only commands go; the core spreads them at random over what it allows."""

    ROUND_ROBIN = "round_robin"
    ROUND_ROBIN_REPLICAS = "round_robin_replicas"
    RANDOM = "random"
    RANDOM_REPLICA = "random_replica"


class ClusterNode(NamedTuple):
    """A node: as a seed for the constructor, or as the cluster's map names it."""

    host: str
    port: int = 6379
    server_type: Optional[str] = None

    @property
    def name(self) -> str:
        return f"{self.host}:{self.port}"

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, ClusterNode) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)


Targets = Union[None, str, ClusterNode, Sequence[ClusterNode], Dict[Any, ClusterNode]]


class BaseCluster(ClusterKeywords, BaseClient):
    """What blocking and asyncio cluster clients have in common: options, targets, merging."""

    PRIMARIES, REPLICAS, ALL_NODES = "primaries", "replicas", "all"
    RANDOM, DEFAULT_NODE = "random", "default-node"
    _core_class: Any
    _begin: Callable[[bool], None]  # sets up what only blocking or only asyncio clients have
    _on_nodes: Callable[..., Any]  # sends the same to several nodes

    def _set_up(self, given: Dict[str, Any]) -> None:
        """What the constructor does with its arguments: its own, and among `others` Redis()'s."""
        kwargs, host, port = given["others"], given["host"], given["port"]
        if given["url"] is not None:
            kwargs.update(parse_url(given["url"]))
            host, port = kwargs.pop("host", None), kwargs.pop("port", port)
            if not kwargs.get("db", 1):
                del kwargs["db"]
        if kwargs.get("db") is not None:
            raise RedisClusterException(
                "Argument 'db' is not possible to use in cluster mode; leave it out"
            )
        if kwargs.get("path") or kwargs.get("unix_socket_path"):
            raise RedisClusterException(
                "A cluster cannot be reached through a Unix socket; use host and port"
            )
        if given["address_remap"] is not None:
            raise ConfigurationError(
                "address_remap is not supported by tendon; announce reachable addresses"
            )
        seeds = [*(given["startup_nodes"] or ()), *([ClusterNode(host, port)] if host else [])]
        if not seeds:
            raise RedisClusterException(
                "RedisCluster requires at least one node to discover the cluster: pass host "
                "and port, startup_nodes=[ClusterNode(host, port)], or url"
            )
        limit = kwargs.pop("max_connections", None)
        check_names("RedisCluster()", kwargs, {*DEFAULTS, *IGNORED})
        if kwargs.get("skip_full_coverage_check"):
            given["require_full_coverage"] = False
        self._kwargs = {name: value for name, value in kwargs.items() if name not in IGNORED}
        self._kwargs["retry"] = given["retry"] or default_retry()
        if given["retry"] is None:
            self.retry.update_retries(given["cluster_error_retry_attempts"])
        self.read_from_replicas = given["read_from_replicas"]
        options = resolve("RedisCluster()", self._kwargs)
        options.core.update(_core_options(seeds, given))
        options.core.setdefault("pool_max", str(limit or 100))
        self.response_callbacks = Callbacks(options.shapes, cluster=True)
        self._default: Optional[ClusterNode] = None
        self._core = self._core_class(options)
        self._encoder = self._core.encoder
        self._begin(False)

    @classmethod
    def from_url(cls: Type[R], url: str, **kwargs: Any) -> R:
        return cls(url=url, **kwargs)

    @staticmethod
    def _unreachable(error: Any) -> ClusterUnavailableError:
        """What a client raises that could not find out what the cluster consists of."""
        failure = ClusterUnavailableError(
            "Redis Cluster cannot be connected. Please provide at least one reachable node: "
            f"{error}",
            status_code=error.status_code,
        )
        failure.node, failure.attempts = error.node, error.attempts
        return failure

    def _merged(
        self, name: str, nodes: List[ClusterNode], values: List[Any], options: Dict[str, Any]
    ) -> Any:
        """One result of what several nodes answered."""
        callback: Callable[..., Any] = self.response_callbacks.get(name, _unchanged)
        results = [callback(value, **options) for value in map(raised, values)]
        if name == "SCAN":
            cursors = {node.name: result[0] for node, result in zip(nodes, results)}
            return cursors, [key for result in results for key in result[1]]
        merge = merging(name)
        if merge is not None:
            return merge(results)
        if len(results) == 1 and name not in ALWAYS_BY_NODE:
            return results[0]
        return {node.name: result for node, result in zip(nodes, results)}

    def _asks_for_nothing(self, name: str, args: Sequence[Any]) -> bool:
        """Of commands that count keys, one without: 0 from the client of a cluster."""
        return len(args) == 1 and name in _COUNTING

    def _usual_targets(self, name: str) -> Optional[str]:
        """Where a command goes when nobody says so; None leaves it to the core."""
        return _tables.NODES.get(name)

    def _slots(self, keys: Sequence[Any]) -> Dict[int, List[Any]]:
        groups: Dict[int, List[Any]] = {}
        for key in keys:
            groups.setdefault(self.keyslot(key), []).append(key)
        return groups

    def _targets(self, targets: Targets) -> List[ClusterNode]:
        if isinstance(targets, ClusterNode):
            return [targets]
        if isinstance(targets, dict):
            return list(targets.values())
        if not isinstance(targets, str):
            return list(targets or ())
        kinds: Dict[str, Callable[[], List[ClusterNode]]] = {
            self.PRIMARIES: self.get_primaries,
            self.REPLICAS: self.get_replicas,
            self.ALL_NODES: self.get_nodes,
            self.RANDOM: lambda: [self.get_random_node()],
            self.DEFAULT_NODE: lambda: [self.get_default_node()],
        }
        if targets not in kinds:
            raise TypeError(
                f"target_nodes: {targets!r} is not one of {sorted(kinds)}, a ClusterNode, a list "
                "or dict"
            )
        return kinds[targets]()

    def _map(self) -> Iterator[Tuple[ClusterNode, List[str]]]:
        """Every node known, and its ranges of slots."""
        for line in self._core.nodes().splitlines():
            address, role, *ranges = line.split(" ")
            host, _, port = address.rpartition(":")
            yield ClusterNode(host, int(port), role), ",".join(ranges).split(",")

    def get_nodes(self) -> List[ClusterNode]:
        """Every node of the map; ``server_type`` is "primary" or "replica"."""
        return [node for node, _ in self._map() if node.server_type in (PRIMARY, REPLICA)]

    def get_primaries(self) -> List[ClusterNode]:
        return [node for node in self.get_nodes() if node.server_type == PRIMARY]

    def get_replicas(self) -> List[ClusterNode]:
        return [node for node in self.get_nodes() if node.server_type == REPLICA]

    def get_random_node(self) -> ClusterNode:
        return random.choice(self.get_nodes())

    def get_default_node(self) -> ClusterNode:
        """
        The node of commands sent to "default-node": the one that was set, else the first
        primary.
        """
        return self._default or self.get_primaries()[0]

    def pubsub_node(
        self, node: Optional[ClusterNode], host: Optional[str], port: Optional[int]
    ) -> Optional[ClusterNode]:
        """The node that the arguments of pubsub() name, if they do."""
        if node is None and (host is None) != (port is None):
            raise DataError("Passing a host requires passing a port, and vice versa")
        if node is None and host is None:
            return None
        found = self.get_node(node_name=node.name) if node else self.get_node(host, port)
        if found is None:
            raise RedisClusterException(
                f"Node {node.name if node else f'{host}:{port}'} doesn't exist in the cluster"
            )
        return found

    def get_random_primary_node(self) -> ClusterNode:
        return random.choice(self.get_primaries())

    def replace_default_node(self, target_node: Optional[ClusterNode] = None) -> None:
        """Makes another node the default one: ``target_node``, else any other primary."""
        current = self.get_default_node()
        others = [node for node in self.get_primaries() if node != current]
        if target_node is not None or others:
            self._default = target_node or random.choice(others)

    def get_connection_kwargs(self) -> Dict[str, Any]:
        return self._kwargs

    @property
    def encoder(self) -> Encoder:
        return self._encoder

    @property
    def retry(self) -> BaseRetry:
        found: BaseRetry = self._kwargs["retry"]
        return found

    def set_retry(self, retry: BaseRetry) -> None:
        raise NotImplementedError(
            "the core's options are fixed once made; pass retry to the constructor"
        )

    def set_default_node(self, node: ClusterNode) -> bool:
        known = node in self.get_nodes()
        self._default = node if known else self._default
        return known

    def get_node(
        self,
        host: Optional[str] = None,
        port: Optional[int] = None,
        node_name: Optional[str] = None,
    ) -> Optional[ClusterNode]:
        name = node_name or f"{host}:{port}"
        return next((node for node in self.get_nodes() if node.name == name), None)

    def get_node_from_key(self, key: Any, replica: bool = False) -> Optional[ClusterNode]:
        """The primary, or a replica, of the key's slot; None when no node has it."""
        return self._node_of(self.keyslot(key), REPLICA if replica else PRIMARY)

    def _node_of(self, slot: int, role: str) -> Optional[ClusterNode]:
        for node, ranges in self._map():
            for part in ranges if node.server_type == role else ():
                first, _, last = part.partition("-")
                if first and int(first) <= slot <= int(last or first):
                    return node
        return None

    def _owner_of(self, slot: int) -> ClusterNode:
        """The primary that has the slot."""
        node = self._node_of(slot, PRIMARY)
        if node is not None:
            return node
        raise SlotNotCoveredError(f"no node has slot {slot}; look at CLUSTER SLOTS")

    def keyslot(self, key: Any) -> int:
        """The slot of a key, 0 to 16383."""
        return key_slot(self._encoder.encode(key))

    def __repr__(self) -> str:
        try:
            nodes = ",".join(node.name for node in self.get_primaries())
        except (RedisError, RedisClusterException):
            nodes = "closed"
        return f"<{type(self).__module__}.{type(self).__name__}({nodes})>"


class Routing(BaseCluster, Client, RedisClusterCommands):
    """How blocking cluster clients connect and send."""

    _core: Core
    _core_class = Core

    def _begin(self, single: bool) -> None:
        super()._begin(single)
        try:
            self._core.connect()
        except ConfigurationError:
            raise
        except (RedisError, RedisClusterException) as error:
            self._core.close(for_good=True)
            raise self._unreachable(error) from error

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """
        Runs any command: by its keys, without keys on any primary, or on ``target_nodes``
        ("primaries", "replicas", "all", "random", "default-node", a ClusterNode, a list or
        dict of them). Several nodes give {node name: result} unless the command has one
        merged result.
        """
        targets: Targets = options.pop("target_nodes", None)
        name = command_name(args[0]).capitals if args else ""
        if self._asks_for_nothing(name, args):
            return 0
        if targets is None:
            targets = self._usual_targets(name)
        if targets is not None:
            return self._on_nodes(name, self._targets(targets), args, options)
        return super().execute_command(*args, **options)

    def monitor(self, target_node: Optional[ClusterNode] = None) -> Monitor:
        """Every command that a node runs, the default one or ``target_node``."""
        node = target_node or self.get_default_node()
        return Monitor(self._core, node.name.encode())

    def get_redis_connection(self, node: ClusterNode) -> "NodeClient":
        """A client whose commands all go to ``node``."""
        return NodeClient(self, node)

    def disconnect_connection_pools(self) -> None:
        """Closes the connections; the next command connects again."""
        self._core.disconnect()

    def close(self) -> None:
        """Closes the client for good: later calls raise ClientClosedError."""
        self._core.close(for_good=True)


class NodeClient(Client):
    """What ``get_redis_connection(node)`` gives: every command goes to that node alone."""

    def __init__(self, cluster: Routing, node: ClusterNode) -> None:
        self._cluster, self.node = cluster, node
        self._core, self._encoder = cluster._core, cluster._encoder
        self.response_callbacks = cluster.response_callbacks

    def execute_command(self, *args: Any, **options: Any) -> Any:
        result = self._cluster.execute_command(*args, target_nodes=self.node, **options)
        if args and command_name(args[0]).capitals == "SCAN":
            cursors, keys = result
            return cursors[self.node.name], keys
        return result

    def pipeline(self, transaction: bool = True) -> Pipeline:
        raise NotImplementedError("a pipeline goes where its keys are; use that of RedisCluster")

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.{type(self).__name__}({self.node.name})>"


def _unchanged(value: Any, **_: Any) -> Any:
    return value


def _core_options(seeds: Sequence[ClusterNode], given: Mapping[str, Any]) -> Dict[str, str]:
    """The core's options of a cluster."""

    def address(node: ClusterNode) -> str:
        return f"[{node.host}]:{node.port}" if ":" in node.host else node.name

    strategy, from_replicas = given["load_balancing_strategy"], given["read_from_replicas"]
    replicas = (LoadBalancingStrategy.ROUND_ROBIN_REPLICAS, LoadBalancingStrategy.RANDOM_REPLICA)
    read_from = (
        "replica" if strategy in replicas else "any" if strategy or from_replicas else "primary"
    )
    return {
        "mode": "cluster",
        "endpoints": ",".join(map(address, seeds)),
        "max_redirects": "16",
        "cluster_full_coverage": "yes" if given["require_full_coverage"] else "no",
        "read_from": read_from,
    }
