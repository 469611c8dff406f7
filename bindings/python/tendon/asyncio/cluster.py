"""RedisCluster, for asyncio. tendon/cluster.py is generated from this file."""

from __future__ import annotations

from typing import Any, AsyncIterator, Dict, List, Optional

from tendon._batch import Plan
from tendon._client import NEVER_DECODE
from tendon._cluster import ClusterNode, LoadBalancingStrategy

#: from tendon._cluster import Routing
from tendon.asyncio._cluster import AsyncRouting  # asyncio
from tendon.asyncio.pipeline import Pipeline
from tendon.asyncio.pubsub import ClusterPubSub
from tendon.commands import list_of

__all__ = ["ClusterNode", "ClusterPipeline", "LoadBalancingStrategy", "RedisCluster"]


class RedisCluster(AsyncRouting):
    """
    The client of a cluster; any number of threads, or of tasks, share it.

    ``kwargs`` are the options of Redis(), ``db`` excepted. Unknown names raise TypeError; obsolete
    ones that redis-py ignores (``skip_full_coverage_check``) are accepted. ``max_connections``
    counts per node. A blocking client connects when it is made, one of asyncio with its first
    command or in ``initialize()``; RedisClusterException when it cannot. ``await aclose()`` or
    ``async with`` ends it.
    """

    async def _on_nodes(
        self, name: str, nodes: List[ClusterNode], args: Any, options: Dict[str, Any]
    ) -> Any:
        names = [node.name.encode() for node in nodes]
        decode = None if options.pop(NEVER_DECODE, False) else self._encoder.decoder
        values = await self._core.batch(Plan([args] * len(nodes), decode, nodes=names))
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

    def pubsub(
        self,
        node: Optional[ClusterNode] = None,
        host: Optional[str] = None,
        port: Optional[int] = None,
        **kwargs: Any,
    ) -> ClusterPubSub:
        """Subscriptions, of sharded channels too; see its class."""
        return ClusterPubSub(self, node, host, port, **kwargs)

    async def cluster_delslots(self, *slots: Any) -> List[bool]:
        """Takes each slot from the node that has it; one True for each."""
        await self.initialize()  # asyncio
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
        await self.initialize()  # asyncio
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


class ClusterPipeline(Pipeline):
    """A pipeline of a cluster client; with ``transaction=True`` all keys must be in one slot."""
