"""How asyncio cluster clients connect and send."""

from __future__ import annotations

from typing import Any, Awaitable, Dict, Optional, Tuple, TypeVar

from tendon._cluster import BaseCluster, ClusterNode, Targets
from tendon._encoder import command_name
from tendon.asyncio._core import AsyncCore
from tendon.asyncio.client import AsyncClient
from tendon.asyncio.commands import AsyncRedisClusterCommands
from tendon.asyncio.monitor import Monitor
from tendon.exceptions import ConfigurationError, RedisClusterException, RedisError

C = TypeVar("C", bound="AsyncRouting")


class AsyncRouting(BaseCluster, AsyncClient, AsyncRedisClusterCommands):
    """Discovers the cluster with its first command in a loop."""

    _core: AsyncCore
    _core_class = AsyncCore

    def __init__(self, host: Optional[str] = None, port: int = 6379, **kwargs: Any) -> None:
        if kwargs.get("db") == 0:
            del kwargs["db"]
        super().__init__(host, port, **kwargs)

    async def initialize(self: C) -> C:
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
        if elsewhere or self._asks_for_nothing(name, args) or not self._core.reached():
            return self._route(name, args, options)
        return super().execute_command(*args, **options)

    async def _route(self, name: str, args: Tuple[Any, ...], options: Dict[str, Any]) -> Any:
        await self.initialize()
        if self._asks_for_nothing(name, args):
            return 0
        targets: Targets = options.pop("target_nodes", None)
        if targets is None:
            targets = self._usual_targets(name)
        if targets is not None:
            return await self._on_nodes(name, self._targets(targets), args, options)
        return await super().execute_command(*args, **options)

    def pubsub_node(
        self, node: Optional[ClusterNode], host: Optional[str], port: Optional[int]
    ) -> Optional[ClusterNode]:
        if node is not None and not self._core.reached():
            return node  # nothing is known of the cluster yet
        return super().pubsub_node(node, host, port)

    def monitor(self, target_node: ClusterNode) -> Monitor:
        """Every command that a node runs."""
        return Monitor(self._core, target_node.name.encode())

    async def aclose(self, close_connection_pool: Optional[bool] = None) -> None:
        """
        Closes the connections; commands under way fail with ClientClosedError. The next command
        connects again.
        """
        self._core.close()

    def __repr__(self) -> str:
        kind, state = type(self), super().__repr__() if self._core.reached() else ""
        return state or f"<{kind.__module__}.{kind.__name__}(not connected in this loop)>"
