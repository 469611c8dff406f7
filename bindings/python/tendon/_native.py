"""
Loads libtendon and gives it the types of include/tendon (_abi.py); it decides nothing.
"""

from __future__ import annotations

import ctypes
import os
from ctypes import c_void_p
from typing import Any, List

from tendon._abi import *  # noqa: F401,F403 - this is that, and the library that it describes
from tendon._abi import ABI_MAJOR, ABI_MINOR, EXECUTED_NO, EXECUTED_YES, FUNCTIONS, Stats

EXECUTED = {EXECUTED_NO: "no", EXECUTED_YES: "yes"}
STATS = [field[0] for field in Stats._fields_ if field[0] not in ("struct_size", "reserved")]


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


def _declare(library: ctypes.CDLL) -> Any:
    for name, (result, arguments) in FUNCTIONS.items():
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
