"""
The native client of one pool: made at its first command, made anew after fork and after close.
"""

from __future__ import annotations

import ctypes
import os
import struct
import threading
import time
import weakref
from ctypes import byref, c_void_p
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, TypeVar

from tendon import _helper
from tendon import _native as native
from tendon._batch import Batch, Plan
from tendon._encoder import Encoder
from tendon._native import lib
from tendon._options import CoreValue, Options, set_credentials
from tendon._outcome import Outcome
from tendon._reply import Decode, check, raised, read_reply, take_error, take_reply
from tendon.exceptions import AuthenticationError, ClientClosedError, ResponseError

# How long the main thread waits before it looks for Ctrl-C.
_SLICE_S = 0.1
# How long it waits by itself, as most connections are there by then; a thread costs as much as all
# the rest of connecting.
_SOON_MS = 50
# What a failed connection may say that waiting longer does not mend.
_FINAL = {"AUTH", "HANDSHAKE", "LIMIT", "PROTOCOL", "TLS_CERTIFICATE", "TLS_CONFIG", "TLS_HOSTNAME"}
# Larger commands go without joining their arguments, so that a big value is not copied here.
_JOIN_BYTES_MAX = 65536
T = TypeVar("T")
_pack_sizes = [struct.Struct(f"={count}I").pack for count in range(17)]


class Config:
    """A tendon_config with `options` set. Raises ConfigurationError for the first that is wrong."""

    def __init__(self, options: Mapping[str, CoreValue]) -> None:
        self.pointer = c_void_p()
        check(lib.tendon_config_create(byref(self.pointer)))
        for name, value in options.items():
            self.set(name, value)

    def set(self, name: str, value: CoreValue) -> None:
        error, data = c_void_p(), value if isinstance(value, bytes) else value.encode()
        given = native.Bytes(data, len(data))
        check(lib.tendon_config_set_bytes(self.pointer, name.encode(), given, byref(error)), error)

    def set_url(self, url: str) -> None:
        error = c_void_p()
        check(lib.tendon_config_set_url(self.pointer, url.encode(), byref(error)), error)

    def __del__(self, destroy: Any = lib.tendon_config_destroy) -> None:
        destroy(self.pointer)


def check_url(url: str) -> None:
    """Raises ConfigurationError when the core finds `url` malformed."""
    Config({}).set_url(url)


class Handle:
    """
    Owns one tendon_client. The last thread that lets go of it destroys it, so nobody's call
    loses it.
    """

    __slots__ = ("pointer", "address", "closed")

    def __init__(self, config: Config) -> None:
        self.pointer = c_void_p()
        self.closed = False
        error = c_void_p()
        check(lib.tendon_client_create(config.pointer, byref(self.pointer), byref(error)), error)
        self.address = self.pointer.value or 0

    def release(self) -> int:
        """The client's address, for another owner."""
        self.pointer = c_void_p()
        return self.address

    def __del__(self, destroy: Any = lib.tendon_client_destroy) -> None:
        destroy(self.pointer)


class _Scratch:
    """The C structs of one small call, used again and again; never by two calls at once."""

    def __init__(self, timeout_ms: int) -> None:
        self.request = native.Request(
            struct_size=ctypes.sizeof(native.Request), timeout_ms=timeout_ms
        )
        self.reply, self.error = c_void_p(), c_void_p()
        self.view = native.ReplyView(struct_size=ctypes.sizeof(native.ReplyView))
        self.request_ref, self.reply_ref = byref(self.request), byref(self.reply)
        self.error_ref, self.view_ref = byref(self.error), byref(self.view)

    def fill(self, argv: List[bytes]) -> bool:
        """
        Points the request at `argv`, joined if it is small. Whether the structs can be used
        again.
        """
        request, sizes = self.request, [*map(len, argv)]
        count = len(sizes)
        request.arg_count = count
        if count <= 16 and sum(sizes) <= _JOIN_BYTES_MAX:
            request.packed = b"".join(argv)
            request.packed_sizes = _pack_sizes[count](*sizes)
            return True
        args = (native.Bytes * count)(*map(native.Bytes, argv, sizes))
        request.args = ctypes.addressof(args)
        request._kept = args
        return False


class BaseCore:
    """What the cores of blocking and of asyncio clients have in common: options and encoder."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._provider = options.credential_provider
        self._config = Config(options.core)
        self.encoder = Encoder(options.encoding, options.encoding_errors, options.decode_responses)
        self._closed_for_good = False
        self._forget()
        _cores.add(self)

    def __reduce__(self) -> Any:
        raise TypeError(
            "a client or pool cannot be copied or pickled; make another with the same options"
        )

    def _forget(self) -> None:
        """Drops what is native without closing it: at the start, and in a forked child."""
        self.pid = os.getpid()

    def _caller(self, decode: Decode) -> Any:
        """The helper's side of this core, for replies that `decode` turns into text."""
        encoder = self.encoder
        return _helper.Caller(encoder.encode, encoder.plain, decode, self._options.timeout_ms)

    def option(self, name: str, default: str) -> str:
        """An option of the core as it was set."""
        value = self._options.core.get(name, default)
        return value.decode() if isinstance(value, bytes) else value

    @property
    def timeout_ms(self) -> int:
        """Of each request: 0 leaves it to the core, -1 is none."""
        return self._options.timeout_ms

    def _current(self) -> Any:
        """The native client to ask, or what owns it."""
        raise NotImplementedError

    def _all(self) -> List[Any]:
        """Those there are."""
        raise NotImplementedError

    def nodes(self) -> str:
        """The nodes known, one line each: "host:port role slots"."""
        owner, reply, error = self._current(), c_void_p(), c_void_p()
        client = c_void_p(owner.address)
        check(lib.tendon_client_nodes(client, byref(reply), byref(error)), error)
        return str(take_reply(reply, bytes.decode))

    def stats(self) -> Dict[str, int]:
        """The counters and gauges of include/tendon/stats.h; all 0 before the first command."""
        totals = dict.fromkeys(native.STATS, 0)
        for owner in self._all():
            stats = native.Stats(struct_size=ctypes.sizeof(native.Stats))
            check(lib.tendon_client_stats(c_void_p(owner.address), byref(stats)))
            for name in native.STATS:
                totals[name] += getattr(stats, name)
        return totals

    def disconnect(self) -> None:
        """Closes the connections; the next command connects again."""
        for owner in self._all():
            lib.tendon_client_disconnect(c_void_p(owner.address))

    def _set_credentials(self, found: Sequence[str]) -> None:
        secrets: Dict[str, CoreValue] = {}
        set_credentials(secrets, *(found if len(found) == 2 else ("", found[0])))
        for name, value in secrets.items():
            self._config.set(name, value)


class Core(BaseCore):
    """
    What every pool and cluster client calls. Any thread; a lease belongs to one thread at a
    time.
    """

    def __init__(self, options: Options) -> None:
        self._endless = options.timeout_ms < 0  # calls without deadline
        self._callers: Any = None  # for replies as text and for replies as bytes
        super().__init__(options)
        # The result of an ordinary command in one crossing; NotImplemented, with nothing sent, if
        # it has to go through ``call``: the server may not answer soon, or may hold the reply.
        self.call_at_once: Callable[[Any, Tuple[Any, ...]], Any] = not_at_once
        if _helper.Caller is not None:
            self._callers = self._caller(self.encoder.decoder), self._caller(None)
            self.call_at_once = self._callers[0].call
            if self._provider is not None:
                self.call_at_once = self._call_at_once_or_renew

    def _call_at_once_or_renew(self, callbacks: Any, command: Tuple[Any, ...]) -> Any:
        handle = self._handle
        try:
            return self._callers[0].call(callbacks, command)
        except AuthenticationError as error:
            if handle is None or not self._renew(handle, error):
                raise
        return NotImplemented

    def _forget(self) -> None:
        super()._forget()
        self._lock = threading.Lock()
        self._handle: Optional[Handle] = None
        self._free: List[_Scratch] = []
        self._sure = False

    def _open(self) -> Handle:
        with self._lock:
            if self._closed_for_good:
                raise ClientClosedError(
                    "this client is closed; make a new one", status_code="CLOSED"
                )
            if self._handle is None:
                if self._provider is not None:
                    self._set_credentials(self._provider.get_credentials())
                self._handle = Handle(self._config)
            return self._handle

    def _renew(self, handle: Handle, failure: Any) -> bool:
        """
        Whether other credentials may help: the provider is asked again, by the next use, when the
        server refused what it gave. Who still uses the old native client keeps it.
        """
        if self._provider is None or not isinstance(failure, AuthenticationError):
            return False
        with self._lock:
            if self._handle is handle:
                self._handle = None
                self._sure = False
        return True

    @property
    def _sure(self) -> bool:
        """Whether the last call went well, so that the next one will not take long."""
        return bool(self._callers[0].client) if self._callers else self._went_well

    @_sure.setter
    def _sure(self, sure: bool) -> None:
        self._went_well = sure
        if self._callers is not None:
            handle = self._handle
            if sure and handle is not None:
                self._callers[0].attach(handle, handle.address, 0)
            else:
                self._callers[0].detach()

    def call(self, argv: List[bytes], decode: Decode, blocking: bool = False) -> Any:
        """Sends one command and returns its value; raises a failure or the server's error."""
        return self._renewing(lambda handle: self._call(handle, argv, decode, blocking))

    def _renewing(self, use: Callable[[Handle], T]) -> T:
        """What `use` makes of the native client, or of another if other credentials may help."""
        handle = self._handle or self._open()
        try:
            return use(handle)
        except AuthenticationError as error:
            if not self._renew(handle, error):
                raise
        return use(self._open())

    def _call(self, handle: Handle, argv: List[bytes], decode: Decode, blocking: bool) -> Any:
        if (blocking or not self._sure) and _in_main_thread():
            if blocking or self._endless:
                return self._call_interruptibly(handle, argv, decode)
            self._reach(handle)
        if self._callers is not None:
            value = self.run(handle, Plan([argv], decode))[0]
            self._sure = not self._endless and _answered(value)
            return raised(value)
        try:
            scratch = self._free.pop()
        except IndexError:
            scratch = _Scratch(self._options.timeout_ms)
        again = scratch.fill(argv)
        status = lib.tendon_call(
            handle.pointer, scratch.request_ref, scratch.reply_ref, scratch.error_ref
        )
        if status != native.OK:
            self._sure = False
            raise take_error(scratch.error, status)
        self._sure = not self._endless
        reply = scratch.reply
        try:
            lib.tendon_reply_look(reply, scratch.view_ref)
            return read_reply(scratch.view, decode)
        finally:
            lib.tendon_reply_destroy(reply)
            if again:
                self._free.append(scratch)

    def _call_interruptibly(self, handle: Handle, argv: List[bytes], decode: Decode) -> Any:
        batch = Batch([argv], self._options.timeout_ms)
        return raised(batch.run_interruptibly(handle.pointer, decode)[0])

    def _reach(self, handle: Handle) -> None:
        """
        Waits for a connection; after a moment in a thread, so that Ctrl-C gets through to the main
        one. A queue would do the same, but a client whose queues are in use is slower at blocking
        calls.
        """
        timeout_ms = self._options.timeout_ms
        if timeout_ms <= 0 or timeout_ms > _SOON_MS:  # 0 is the client's own limit, -1 is none
            if self._reach_soon(handle):
                return
            timeout_ms -= _SOON_MS if timeout_ms > 0 else 0
        found: List[Any] = []
        batch = Batch([[]], timeout_ms, flags=native.REQUEST_CONNECT)
        waiter = threading.Thread(
            target=lambda: found.extend(batch.run(handle.pointer, None)), daemon=True
        )
        try:
            waiter.start()
        except RuntimeError:  # no more threads, or the interpreter is ending: wait in the call
            return
        while waiter.is_alive():
            waiter.join(_SLICE_S)
        raised(found[0] if found else None)

    def _reach_soon(self, handle: Handle) -> bool:
        """Whether the connection is there by _SOON_MS. Raises what happened to it before that."""
        until = time.monotonic() + _SOON_MS / 1000
        batch = Batch([[]], _SOON_MS, flags=native.REQUEST_CONNECT)
        value = batch.run(handle.pointer, None)[0]
        if not isinstance(value, Exception):
            return True
        # Only who gave up because this moment is over has not heard all.
        if time.monotonic() < until or getattr(value, "status_code", None) in _FINAL:
            raise value
        return False

    def batch(self, plan: Plan) -> List[Any]:
        """
        Sends all commands together. The values in order, an exception in place of each failure.
        """
        handle = self._handle or self._open()
        try:
            values = self._batch(handle, plan)
            refused = all(isinstance(value, AuthenticationError) for value in values)
            if not values or not refused or not self._renew(handle, values[0]):
                return values
        except AuthenticationError as error:
            if not self._renew(handle, error):
                raise
        return self._batch(self._open(), plan)

    def _batch(self, handle: Handle, plan: Plan) -> List[Any]:
        if not self._sure and _in_main_thread():
            if self._endless:
                return self._made(plan).run_interruptibly(handle.pointer, plan.decode)
            self._reach(handle)
        values = self.run(handle, plan)
        self._sure = not self._endless and all(map(_answered, values))
        return values

    def run(self, handle: Handle, plan: Plan, lease: Optional[c_void_p] = None) -> List[Any]:
        """As ``batch``, at once and perhaps on a lease: one crossing, which Ctrl-C does not end."""
        if self._callers is None:
            return self._made(plan, lease).run(handle.pointer, plan.decode)
        caller = self._callers[plan.decode is None]
        address = lease.value or 0 if lease else 0
        values: List[Any] = caller.batch(
            handle.address, plan.commands, plan.nodes, plan.atomic, address, 0
        )
        return values

    def _made(self, plan: Plan, lease: Optional[c_void_p] = None) -> Batch:
        pack = self.encoder.pack
        commands = [one if type(one) is list else pack(one)[1] for one in plan.commands]
        return Batch(commands, self._options.timeout_ms, lease, plan.nodes, plan.atomic)

    def caller_for(self, handle: Handle, lease: int) -> Any:
        """The helper's side of a lease; None where calls have no deadline, or without helper."""
        if self._callers is None or self._endless:
            return None
        caller = self._caller(self.encoder.decoder)
        caller.attach(handle, handle.address, lease)
        return caller

    def lease(self, key: Optional[bytes] = None) -> "Lease":
        """
        Borrows a connection, in a cluster to the node of `key`. Raises MaxConnectionsError
        and others.
        """
        timeout_ms = self._options.timeout_ms
        return self._renewing(lambda handle: Lease(self, handle, timeout_ms, key))

    def connect(self) -> None:
        """Waits until a connection is ready."""
        self._renewing(self._reach)

    def handle(self) -> Handle:
        """The native client, made now if there is none."""
        return self._handle or self._open()

    _current = handle

    def _all(self) -> List[Any]:
        handle = self._handle
        return [] if handle is None else [handle]

    def close(self, for_good: bool = False) -> None:
        """
        Closes the native client; calls under way fail. Unless `for_good`, the next command
        makes another.
        """
        with self._lock:
            handle, self._handle = self._handle, None
            self._closed_for_good = self._closed_for_good or for_good
            self._sure = False
        if handle is not None:
            handle.closed = True
            lib.tendon_client_close(handle.pointer)


class Lease:
    """One connection for one borrower, until close() or discard()."""

    def __init__(
        self, core: Core, handle: Handle, timeout_ms: int, key: Optional[bytes] = None
    ) -> None:
        self._core, self._handle, self._timeout_ms = core, handle, timeout_ms
        self._caller: Any = None
        self._pointer, error = c_void_p(), c_void_p()
        options = native.LeaseOptions(struct_size=ctypes.sizeof(native.LeaseOptions))
        if key is not None:
            options.key = native.Bytes(key, len(key))
        pointers = byref(options), byref(self._pointer), byref(error)
        check(lib.tendon_lease_open(handle.pointer, *pointers), error)
        self._caller = core.caller_for(handle, self._pointer.value or 0)

    def at_once(self, callbacks: Any, command: Tuple[Any, ...]) -> Any:
        """As Core.call_at_once, on this connection. After a failure it is never possible again."""
        return NotImplemented if self._caller is None else self._caller.call(callbacks, command)

    @property
    def works(self) -> bool:
        """Whether at_once() may be used: nothing but a server's error was raised by it."""
        return self._caller is not None and bool(self._caller.client)

    def call(self, argv: List[bytes], decode: Decode, blocking: bool = False) -> Any:
        """As Core.call, on this connection."""
        if (blocking or self._timeout_ms < 0) and _in_main_thread():
            batch = Batch([argv], self._timeout_ms, lease=self._pointer)
            value = batch.run_interruptibly(self._handle.pointer, decode)[0]
        else:
            value = self.batch(Plan([argv], decode))[0]
        return raised(value)

    def batch(self, plan: Plan) -> List[Any]:
        """As Core.batch, on this connection."""
        return self._core.run(self._handle, plan, self._pointer)

    def end(self, watching: bool) -> None:
        """As close(); without a watch left on it, the connection can be lent again at once."""
        try:
            if watching:
                self.call([b"UNWATCH"], None)
        except Outcome:
            pass  # the core closes it
        finally:
            self.close()

    def close(self) -> None:
        """Gives the connection back; state left on it is reset. Idempotent."""
        pointer = self._taken()
        lib.tendon_lease_close(pointer)

    def discard(self) -> None:
        """Closes the connection instead. Idempotent."""
        pointer = self._taken()
        lib.tendon_lease_discard(pointer)

    def _taken(self) -> c_void_p:
        """The native lease, which nobody finds here any more."""
        pointer, self._pointer = self._pointer, c_void_p()
        if self._caller is not None:
            self._caller.detach()
        return pointer

    __del__ = close


def not_at_once(_callbacks: Any, _command: Tuple[Any, ...]) -> Any:
    return NotImplemented


def _in_main_thread() -> bool:
    """Signals reach Python there alone, and only while it is not inside C."""
    return threading.current_thread() is threading.main_thread()


def _answered(value: Any) -> bool:
    """Whether a server gave this outcome, so that the connection is known to work."""
    return not isinstance(value, Exception) or isinstance(value, ResponseError)


def key_slot(key: bytes) -> int:
    """The cluster slot of a key, 0 to 16383."""
    return int(lib.tendon_key_slot(native.Bytes(key, len(key))))


_cores: "weakref.WeakSet[BaseCore]" = weakref.WeakSet()


def _after_fork() -> None:
    for core in list(_cores):
        core._forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
