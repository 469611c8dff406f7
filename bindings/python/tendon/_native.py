"""
Loads libtendon and declares its structs and functions exactly as include/tendon/*.h says; it
decides nothing.
"""

from __future__ import annotations

import ctypes
import os

# fmt: off
from ctypes import (
    POINTER, c_char_p, c_int, c_int32, c_int64, c_size_t, c_uint32, c_uint64, c_void_p,
)
# fmt: on
from typing import Any, List

ABI_MAJOR = 1
ABI_MINOR = 0

OK = 0
EXECUTED = {1: "no", 2: "yes", 3: "unknown"}

REQUEST_BLOCKING = 8
REQUEST_ATOMIC = 16
REQUEST_ATOMIC_END = 32
REQUEST_CONNECT = 64
ROUTE_AUTO = 0
ROUTE_SLOT = 1
ROUTE_NODE = 2
TIMEOUT_NONE = -1
COMPLETION_EVENT = 3
EVENT_CLOSED = 4
EVENT_FAILED = 5
EVENT_MESSAGE = 12
EVENT_GAP = 13


class Bytes(ctypes.Structure):
    _fields_ = [("data", c_char_p), ("size", c_size_t)]


class ErrorView(ctypes.Structure):
    # fmt: off
    _fields_ = [
        ("struct_size", c_uint32), ("status", c_int32), ("error_class", c_uint32),
        ("executed", c_uint32), ("attempts", c_uint32), ("reserved", c_uint32),
        ("elapsed_us", c_uint64), ("message", c_char_p), ("prefix", c_char_p), ("node", c_char_p),
    ]
    # fmt: on


class ReplyView(ctypes.Structure):
    # fmt: off
    _fields_ = [
        ("struct_size", c_uint32), ("tape_version", c_uint32), ("nodes", c_void_p),
        ("node_count", c_size_t), ("data", c_void_p), ("data_bytes", c_size_t),
    ]
    # fmt: on


class Request(ctypes.Structure):
    # fmt: off
    _fields_ = [
        ("struct_size", c_uint32), ("flags", c_uint32), ("args", c_void_p), ("packed", c_char_p),
        ("packed_sizes", c_char_p), ("arg_count", c_uint32), ("route", c_uint32), ("tag", c_uint64),
        ("timeout_ms", c_int64), ("lease", c_void_p), ("node", Bytes), ("slot", c_uint32),
        ("reserved", c_uint32),
    ]
    # fmt: on


class Outcome(ctypes.Structure):
    _fields_ = [("reply", c_void_p), ("error", c_void_p)]


class Completion(ctypes.Structure):
    # fmt: off
    _fields_ = [
        ("id", c_uint64), ("tag", c_uint64), ("kind", c_uint32), ("status", c_int32),
        ("event", c_uint32), ("delay_ms", c_uint32), ("reply", c_void_p),
        ("error", c_void_p), ("nodes", c_void_p), ("data", c_void_p),
        ("node_count", c_uint64), ("data_bytes", c_uint64),
    ]
    # fmt: on


class LeaseOptions(ctypes.Structure):
    # fmt: off
    _fields_ = [
        ("struct_size", c_uint32), ("route", c_uint32), ("key", Bytes), ("node", Bytes),
        ("slot", c_uint32), ("reserved", c_uint32), ("timeout_ms", c_int64),
    ]
    # fmt: on


class SubscriptionOptions(ctypes.Structure):
    _fields_ = LeaseOptions._fields_[:-1]


_GAUGES = "nodes open idle leased lanes connecting waiting pending reserved"
_COUNTERS = (
    "created connect_failures tls_resumed closed_idle closed_lifetime closed_peer closed_dirty "
    "closed_unhealthy closed_stale closed_error closed_shutdown borrows waits wait_timeouts "
    "wait_us requests replies errors timeouts retries unknown moved ask refreshes "
    "refresh_failures bytes_sent bytes_received"
)


class Stats(ctypes.Structure):
    _fields_ = (
        [("struct_size", c_uint32)]
        + [(name, c_uint32) for name in _GAUGES.split()]
        + [(name, c_uint64) for name in _COUNTERS.split()]
    )


STATS = [name for name in (_GAUGES + " " + _COUNTERS).split() if name != "reserved"]

# What a C compiler for a 64-bit platform makes of the structs; else there is a mistake above.
# fmt: off
LAYOUT = {
    Bytes: 16, ErrorView: 56, ReplyView: 40, Request: 88, Outcome: 16, Completion: 80,
    LeaseOptions: 56, SubscriptionOptions: 48, Stats: 256,
}
# fmt: on

_STATUS = c_int32
# fmt: off
_FUNCTIONS = {
    "tendon_abi_version": (c_uint32, []),
    "tendon_version": (c_char_p, []),
    "tendon_tls_version": (c_char_p, []),
    "tendon_status_name": (c_char_p, [c_int32]),
    "tendon_status_text": (c_char_p, [c_int32]),
    "tendon_error_look": (_STATUS, [c_void_p, POINTER(ErrorView)]),
    "tendon_error_destroy": (None, [c_void_p]),
    "tendon_config_create": (_STATUS, [POINTER(c_void_p)]),
    "tendon_config_destroy": (None, [c_void_p]),
    "tendon_config_set": (_STATUS, [c_void_p, c_char_p, c_char_p, POINTER(c_void_p)]),
    "tendon_config_set_bytes": (_STATUS, [c_void_p, c_char_p, Bytes, POINTER(c_void_p)]),
    "tendon_config_set_url": (_STATUS, [c_void_p, c_char_p, POINTER(c_void_p)]),
    "tendon_config_get": (_STATUS, [c_void_p, c_char_p, POINTER(c_char_p)]),
    "tendon_client_create": (_STATUS, [c_void_p, POINTER(c_void_p), POINTER(c_void_p)]),
    "tendon_client_destroy": (None, [c_void_p]),
    "tendon_client_close": (None, [c_void_p]),
    "tendon_client_disconnect": (_STATUS, [c_void_p]),
    "tendon_client_nodes": (_STATUS, [c_void_p, POINTER(c_void_p), POINTER(c_void_p)]),
    "tendon_client_stats": (_STATUS, [c_void_p, POINTER(Stats)]),
    "tendon_call": (_STATUS, [c_void_p, c_void_p, c_void_p, c_void_p]),
    "tendon_call_batch": (_STATUS, [c_void_p, c_void_p, c_size_t, c_size_t, c_void_p]),
    "tendon_submit": (
        _STATUS, [c_void_p, c_void_p, c_void_p, c_size_t, c_size_t, POINTER(c_uint64)]
    ),
    "tendon_cancel": (_STATUS, [c_void_p, c_uint64]),
    "tendon_client_process": (_STATUS, [c_void_p, c_int64, POINTER(c_int64)]),
    "tendon_client_flush": (_STATUS, [c_void_p]),
    "tendon_client_fd": (c_int, [c_void_p]),
    "tendon_key_slot": (c_uint32, [Bytes]),
    "tendon_reply_look": (_STATUS, [c_void_p, c_void_p]),
    "tendon_reply_destroy": (None, [c_void_p]),
    "tendon_queue_create": (_STATUS, [POINTER(c_void_p)]),
    "tendon_queue_destroy": (None, [c_void_p]),
    "tendon_queue_fd": (c_int, [c_void_p]),
    "tendon_queue_poll": (
        c_size_t, [c_void_p, c_void_p, c_size_t, c_size_t, c_int64]
    ),
    "tendon_lease_open": (
        _STATUS, [c_void_p, POINTER(LeaseOptions), POINTER(c_void_p), POINTER(c_void_p)]
    ),
    "tendon_lease_submit": (
        _STATUS,
        [
            c_void_p, c_void_p, POINTER(LeaseOptions), c_uint64, POINTER(c_void_p),
            POINTER(c_uint64),
        ],
    ),
    "tendon_subscription_open": (
        _STATUS, [c_void_p, c_void_p, POINTER(SubscriptionOptions), c_uint64, POINTER(c_void_p)]
    ),
    "tendon_subscription_submit": (_STATUS, [c_void_p, c_void_p, POINTER(c_uint64)]),
    "tendon_subscription_close": (None, [c_void_p]),
    "tendon_lease_close": (None, [c_void_p]),
    "tendon_lease_discard": (None, [c_void_p]),
}
# fmt: on


def _candidates() -> List[str]:
    """
    Where the library may be, best first: TENDON_LIB alone if set, beside the package, the
    system's.
    """
    chosen = os.environ.get("TENDON_LIB")
    if chosen:
        return [chosen]
    here = os.path.dirname(os.path.abspath(__file__))
    names = [f"libtendon.so.{ABI_MAJOR}", "libtendon.so", "libtendon.dylib"]
    beside = [os.path.join(here, name) for name in names]
    return [path for path in beside if os.path.exists(path)] + names


def _load() -> ctypes.CDLL:
    tried = []
    for path in _candidates():
        try:
            return ctypes.CDLL(path)
        except OSError as error:
            tried.append(f"{path}: {error}")
    raise ImportError(
        "libtendon could not be loaded; install it, or set TENDON_LIB to the path of "
        "libtendon.so. Tried: " + "; ".join(tried)
    )


def _check(library: ctypes.CDLL) -> None:
    found = library.tendon_abi_version()
    major, minor = found >> 16, found & 0xFFFF
    if major != ABI_MAJOR or minor < ABI_MINOR:
        raise ImportError(
            f"libtendon has ABI {major}.{minor}, this package needs "
            f"{ABI_MAJOR}.{ABI_MINOR} or a later {ABI_MAJOR}.x; install matching versions "
            "of the package and the library"
        )
    for struct, size in LAYOUT.items():
        if ctypes.sizeof(struct) != size:
            raise ImportError(
                f"{struct.__name__} has {ctypes.sizeof(struct)} bytes here, the ABI has {size}"
            )


def _declare(library: ctypes.CDLL) -> Any:
    for name, (result, arguments) in _FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise ImportError(f"libtendon lacks {name}; it is older than this package") from None
        function.restype = result
        function.argtypes = arguments
    return library


lib = _declare(_load())
_check(lib)

# Copies `size` bytes at an address into a bytes object; ctypes.string_at fails above 2 GiB.
copy_bytes = ctypes.PYFUNCTYPE(ctypes.py_object, c_void_p, ctypes.c_ssize_t)(
    ("PyBytes_FromStringAndSize", ctypes.pythonapi)
)
