"""A lock in the server, for asyncio. tendon/lock.py is generated from this file."""

from __future__ import annotations

import asyncio
import logging
import threading
import time as clock
import uuid
from types import SimpleNamespace
from typing import Any, Optional, Union

from tendon.asyncio.script import AsyncScript
from tendon.exceptions import LockError, LockNotOwnedError
from tendon.typing import KeyT

_log = logging.getLogger(__name__)
Number = Union[int, float]

# Each does something to a lock that still has the caller's token, and says whether it had.
_HELD = """
if redis.call('get', KEYS[1]) ~= ARGV[1] then
    return 0
end
"""
_RELEASE = _HELD + "return redis.call('del', KEYS[1])"
_REACQUIRE = _HELD + "return redis.call('pexpire', KEYS[1], ARGV[2])"
_EXTEND = (
    _HELD
    + """
local left = redis.call('pttl', KEYS[1])
if left < 0 or ARGV[3] == '1' then
    left = 0
end
return redis.call('pexpire', KEYS[1], left + ARGV[2])
"""
)


class Lock:
    """
    Held by whoever set the key ``name`` to a token of its own; ``async with`` acquires, releases.

    ``timeout``: seconds after which the server frees it by itself; None: never. ``sleep``: seconds
    between tries. ``blocking_timeout``: seconds that acquire() tries; None: for ever. With
    ``thread_local`` the token belongs to the thread that acquired. It is as safe as one server
    is: a failover may lose it.
    """

    lua_release: Any = None
    lua_extend: Any = None
    lua_reacquire: Any = None

    def __init__(
        self,
        redis: Any,
        name: KeyT,
        timeout: Optional[Number] = None,
        sleep: Number = 0.1,
        blocking: bool = True,
        blocking_timeout: Optional[Number] = None,
        thread_local: bool = True,
        raise_on_release_error: bool = True,
    ) -> None:
        self.redis, self.name, self.timeout, self.sleep = redis, name, timeout, sleep
        self.blocking, self.blocking_timeout = blocking, blocking_timeout
        self.thread_local = thread_local
        self.raise_on_release_error = raise_on_release_error
        self.local: Any = threading.local() if thread_local else SimpleNamespace()
        self.local.token = None
        self.register_scripts()

    def register_scripts(self) -> None:
        kind = type(self)
        if kind.lua_release is None:
            kind.lua_release = AsyncScript(self.redis, _RELEASE)
            kind.lua_extend = AsyncScript(self.redis, _EXTEND)
            kind.lua_reacquire = AsyncScript(self.redis, _REACQUIRE)

    async def __aenter__(self) -> "Lock":
        if await self.acquire():
            return self
        raise self._error("Unable to acquire lock within the time specified")

    async def __aexit__(self, *_: Any) -> None:
        try:
            await self.release()
        except LockError:
            if self.raise_on_release_error:
                raise
            _log.warning("a lock was not held any more when it was to be released", exc_info=True)

    async def acquire(
        self,
        sleep: Optional[Number] = None,
        blocking: Optional[bool] = None,
        blocking_timeout: Optional[Number] = None,
        token: Union[str, bytes, None] = None,
    ) -> bool:
        """Whether it was acquired; the arguments stand for those of the constructor."""
        pause = self.sleep if sleep is None else sleep
        owner = uuid.uuid4().hex.encode() if token is None else self._encoded(token)
        blocking = self.blocking if blocking is None else blocking
        limit = self.blocking_timeout if blocking_timeout is None else blocking_timeout
        end = None if limit is None else clock.monotonic() + limit
        while True:
            if await self.do_acquire(owner):
                self.local.token = owner
                return True
            if not blocking or (end is not None and clock.monotonic() + pause > end):
                return False
            await asyncio.sleep(pause)

    async def do_acquire(self, token: bytes) -> bool:
        px = None if self.timeout is None else int(self.timeout * 1000)
        return bool(await self.redis.set(self.name, token, nx=True, px=px))

    async def locked(self) -> bool:
        """Whether anybody holds it."""
        return await self.redis.get(self.name) is not None

    async def owned(self) -> bool:
        """Whether it is held with the token of this object."""
        stored = await self.redis.get(self.name)
        token = self.local.token
        return token is not None and stored is not None and self._encoded(stored) == token

    async def release(self) -> None:
        """Frees it. LockError when it was not acquired, LockNotOwnedError when it was lost."""
        token = self.local.token
        if token is None:
            raise self._error("Cannot release a lock that's not owned or is already unlocked.")
        self.local.token = None
        await self.do_release(token)

    async def do_release(self, expected_token: bytes) -> None:
        if not await self.lua_release(keys=[self.name], args=[expected_token], client=self.redis):
            raise self._not_owned("Cannot release a lock that's no longer owned")

    async def extend(self, additional_time: Number, replace_ttl: bool = False) -> bool:
        """Adds seconds to its time, or makes them its time with ``replace_ttl``; True."""
        self._held("extend")
        return await self.do_extend(additional_time, replace_ttl)

    async def do_extend(self, additional_time: Number, replace_ttl: bool) -> bool:
        added = [self.local.token, int(additional_time * 1000), "1" if replace_ttl else "0"]
        if not await self.lua_extend(keys=[self.name], args=added, client=self.redis):
            raise self._not_owned("Cannot extend a lock that's no longer owned")
        return True

    async def reacquire(self) -> bool:
        """Starts its time anew; True."""
        self._held("reacquire")
        return await self.do_reacquire()

    async def do_reacquire(self) -> bool:
        again = [self.local.token, int((self.timeout or 0) * 1000)]
        if not await self.lua_reacquire(keys=[self.name], args=again, client=self.redis):
            raise self._not_owned("Cannot reacquire a lock that's no longer owned")
        return True

    def _held(self, verb: str) -> None:
        if self.local.token is None:
            raise self._error(f"Cannot {verb} an unlocked lock")
        if self.timeout is None:
            raise self._error(f"Cannot {verb} a lock with no timeout")

    def _encoded(self, value: Any) -> bytes:
        found: bytes = self.redis.get_encoder().encode(value)
        return found

    def _error(self, text: str) -> LockError:
        return LockError(text, lock_name=self.name)

    def _not_owned(self, text: str) -> LockNotOwnedError:
        return LockNotOwnedError(text, lock_name=self.name)
