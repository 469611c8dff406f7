"""How asyncio clients send."""

from __future__ import annotations

import asyncio
from typing import Any, Awaitable, Callable, Dict, Generator, List, Optional, Tuple, TypeVar

from tendon._client import EMPTY_RESPONSE, NEVER_DECODE, BaseClient
from tendon._reply import Decode
from tendon.asyncio._core import AsyncCore, Lease
from tendon.asyncio.commands import AsyncCoreCommands
from tendon.exceptions import ResponseError

C = TypeVar("C", bound="AsyncSending")


class AsyncSending(BaseClient, AsyncCoreCommands):
    """How asyncio clients send, and when they begin and end."""

    _core: AsyncCore
    _direct: bool  # an ordinary command needs nothing to be waited for before it
    _request: Callable[..., Awaitable[Any]]  # of the core's caller
    _lease: Optional[Lease] = None  # with single_connection_client, guarded by _turn
    _turn: Optional[asyncio.Lock] = None  # made in the loop, to which it belongs
    _users = 0  # of nested `async with` blocks

    def _begin(self, single: bool) -> None:
        self._direct = not single and self._core._options.credential_provider is None
        self._request = self._core.caller.request

    def execute_command(self, *args: Any, **options: Any) -> Awaitable[Any]:
        """
        Runs any command of the server: ``await execute_command("GET", "key")``, ``("CLIENT
        LIST")``. The result has redis-py's type where the command (the first argument) has one,
        else it comes as the server sent it. Nothing is sent before it is awaited; cancelling the
        task ends the command. Raises ResponseError, ConnectionError, TimeoutError, DataError.
        """
        if self._direct and not options and args:
            return self._request(self._core, self.response_callbacks, args)
        return self._execute(args, options)

    async def _execute(self, args: Tuple[Any, ...], options: Dict[str, Any]) -> Any:
        # What cannot be sent is refused before anything is waited for.
        name, argv = self._encoder.pack(args)
        decode = None if options.pop(NEVER_DECODE, False) else self._encoder.decoder
        try:
            value = await self._send(argv, decode, name.blocking)
        except ResponseError:
            if EMPTY_RESPONSE in options:
                return options[EMPTY_RESPONSE]
            raise
        options.pop(EMPTY_RESPONSE, None)
        callback = self.response_callbacks.get(name.capitals)
        return value if callback is None else callback(value, **options)

    async def _send(self, argv: List[bytes], decode: Decode, blocking: bool) -> Any:
        await self._prepare()
        return await self._core.call(argv, decode, blocking)

    async def _prepare(self) -> None:
        """What has to be waited for before a command can be sent."""
        await self._core.prepare()

    async def initialize(self: C) -> C:
        """Does what can be done before the first command; the client itself."""
        return self

    async def aclose(self, close_connection_pool: Optional[bool] = None) -> None:
        raise NotImplementedError

    async def close(self, close_connection_pool: Optional[bool] = None) -> None:
        """The old name of aclose."""
        await self.aclose(close_connection_pool)

    def __await__(self: C) -> Generator[Any, None, C]:
        return self.initialize().__await__()

    async def __aenter__(self: C) -> C:
        self._users += 1
        try:
            return await self.initialize()
        except BaseException:
            self._users -= 1
            raise

    async def __aexit__(self, *_: Any) -> None:
        self._users -= 1
        if not self._users:
            await self.aclose()
