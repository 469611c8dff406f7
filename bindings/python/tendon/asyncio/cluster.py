"""RedisCluster for asyncio."""

from __future__ import annotations

from typing import Any, AsyncIterator, Awaitable, Dict, List, Optional, Tuple

from tendon._encoder import command_name
from tendon.asyncio._core import AsyncCore
from tendon.asyncio.client import AsyncClient
from tendon.asyncio.commands import AsyncRedisClusterCommands
from tendon.asyncio.monitor import Monitor
from tendon.asyncio.pipeline import Pipeline
from tendon.asyncio.pubsub import ClusterPubSub
from tendon.client import NEVER_DECODE
from tendon.cluster import BaseCluster, ClusterNode, LoadBalancingStrategy, Targets
from tendon.commands import list_of
from tendon.exceptions import ConfigurationError, RedisClusterException, RedisError

__all__ = ["ClusterNode", "ClusterPipeline", "LoadBalancingStrategy", "RedisCluster"]


class RedisCluster(BaseCluster, AsyncClient, AsyncRedisClusterCommands):
    """
    The client of a cluster for asyncio; options as in tendon.RedisCluster. Any number of tasks
    share it.

    Discovers the cluster with its first command, or in ``initialize()``; raises
    RedisClusterException when it cannot. ``await aclose()`` or ``async with`` ends it; the next
    command connects again.
    """

    _core: AsyncCore
    _core_class = AsyncCore

    def __init__(self, host: Optional[str] = None, port: int = 6379, **kwargs: Any) -> None:
        if kwargs.get("db") == 0:
            del kwargs["db"]
        super().__init__(host, port, **kwargs)

    def _begin(self) -> None:
        self._direct = self._core._options.credential_provider is None
        self._request = self._core.caller.request

    async def initialize(self) -> "RedisCluster":
        """Finds out what the cluster consists of, once for each event loop; the client itself."""
        if not self._core.reached():
            try:
                await self._core.connect()
            except ConfigurationError:
                raise
            except (RedisError, RedisClusterException) as error:
                raise self._unreachable(error) from error
        return self

    async def _prepare(self) -> None:
        await self.initialize()

    def execute_command(self, *args: Any, **options: Any) -> Awaitable[Any]:
        """
        Runs any command: by its keys, without keys on any primary, or on ``target_nodes``
        ("primaries", "replicas", "all", "random", "default-node", a ClusterNode, a list or dict of
        them). Several nodes give {node name: result} unless the command has one merged result.
        """
        name = command_name(args[0]).capitals if args else ""
        elsewhere = "target_nodes" in options or self._usual_targets(name)
        if elsewhere or not self._core.reached():
            return self._route(name, args, options)
        return super().execute_command(*args, **options)

    async def _route(self, name: str, args: Tuple[Any, ...], options: Dict[str, Any]) -> Any:
        await self.initialize()
        targets: Targets = options.pop("target_nodes", None)
        if targets is None:
            targets = self._usual_targets(name)
        if targets is not None:
            return await self._on_nodes(name, self._targets(targets), args, options)
        return await super().execute_command(*args, **options)

    async def _on_nodes(
        self, name: str, nodes: List[ClusterNode], args: Any, options: Dict[str, Any]
    ) -> Any:
        names = [node.name.encode() for node in nodes]
        decode = None if options.pop(NEVER_DECODE, False) else self._encoder.decoder
        values = await self._core.batch([args] * len(nodes), decode, nodes=names)
        return self._merged(name, nodes, values, options)

    async def mget_nonatomic(self, keys: Any, *args: Any) -> List[Any]:
        """The values in order; keys of several slots are read one group after the other."""
        names = list_of(keys, args)
        found: Dict[Any, Any] = {}
        for group in self._slots(names).values():
            found.update(zip(group, await self.mget(group)))
        return [found[name] for name in names]

    async def mset_nonatomic(self, mapping: Dict[Any, Any]) -> List[bool]:
        """Sets all, one MSET per slot; one True for each."""
        groups = self._slots(list(mapping)).values()
        return [await self.mset({key: mapping[key] for key in group}) for group in groups]

    def pubsub(self, node: Optional[ClusterNode] = None, **kwargs: Any) -> ClusterPubSub:
        """Subscriptions, of sharded channels too; see its class."""
        return ClusterPubSub(self, node, **kwargs)

    def monitor(self, target_node: ClusterNode) -> Monitor:
        """Every command that a node runs."""
        return Monitor(self._core, target_node.name.encode())

    async def cluster_delslots(self, *slots: Any) -> List[bool]:
        """Takes each slot from the node that has it; one True for each."""
        await self.initialize()
        return [
            await self.execute_command(
                "CLUSTER DELSLOTS", slot, target_nodes=self._owner_of(int(slot))
            )
            for slot in slots
        ]

    async def scan_iter(
        self,
        match: Any = None,
        count: Optional[int] = None,
        _type: Optional[str] = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        """All names of all primaries, or of ``target_nodes``."""
        await self.initialize()
        for node in self._targets(kwargs.pop("target_nodes", self.PRIMARIES)):
            cursor = -1  # 0 would mean: done
            while cursor:
                found: Any = await self.scan(max(cursor, 0), match, count, _type, target_nodes=node)
                for key in found[1]:
                    yield key
                cursor = found[0][node.name]

    def pipeline(
        self, transaction: Optional[bool] = None, shard_hint: Any = None
    ) -> "ClusterPipeline":
        """
        Queues commands; they travel to their nodes side by side, or to one slot as a transaction.
        """
        return ClusterPipeline(self, bool(transaction))

    async def aclose(self, close_connection_pool: Optional[bool] = None) -> None:
        """
        Closes the connections; commands under way fail with ClientClosedError. The next command
        connects again.
        """
        self._core.close()

    def __repr__(self) -> str:
        kind, state = type(self), super().__repr__() if self._core.reached() else ""
        return state or f"<{kind.__module__}.{kind.__name__}(not connected in this loop)>"


class ClusterPipeline(Pipeline):
    """A pipeline of a cluster client; with ``transaction=True`` all keys must be in one slot."""
