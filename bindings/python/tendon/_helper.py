"""
Loads the native helper, which does in C what is done once per command; without it everything works,
more slowly.

It lies beside this file (bindings/python/build puts it there), or where TENDON_PYTHON_HELPER says;
``TENDON_PYTHON_HELPER=no`` goes without.
"""

from __future__ import annotations

import ctypes
import os
import sys
from ctypes import c_void_p
from typing import Any, Dict, Optional

from tendon import _encoder, _expressions
from tendon._native import lib
from tendon._reply import _hashable, server_error, take_error, unknown_node

_VERSION = 4
_NAME = "libtendon_python.so"


def _path() -> Optional[str]:
    chosen = os.environ.get("TENDON_PYTHON_HELPER")
    if chosen:
        return None if chosen == "no" else chosen
    beside = os.path.join(os.path.dirname(os.path.abspath(__file__)), _NAME)
    # METH_FASTCALL is in the stable ABI since 3.10; other interpreters have another ABI.
    usable = sys.implementation.name == "cpython" and sys.version_info >= (3, 10)
    free_threaded = bool(getattr(sys, "abiflags", "").count("t"))
    return beside if usable and not free_threaded and os.path.exists(beside) else None


def _load(path: str) -> Dict[str, Any]:
    library = ctypes.PyDLL(path)
    library.tendon_python_version.restype = ctypes.c_int
    if library.tendon_python_version() != _VERSION:
        raise ImportError(
            f"{path} was built for another version of this package; run bindings/python/build "
            "again, or remove it"
        )
    start = library.tendon_python_start
    start.restype, start.argtypes = ctypes.py_object, [c_void_p, ctypes.py_object]
    found: Dict[str, Any] = start(
        lib._handle,
        {
            "names": _encoder._names,
            "command_name": _encoder.command_name,
            "utf8": bytes.decode,
            "failure": lambda address, status: take_error(c_void_p(address), status),
            "server_error": server_error,
            "hashable": _hashable,
            "big_number": int,
            "unknown_node": unknown_node,
            "is_ok": _expressions.is_ok,
            "set": _expressions.set,
        },
    )
    found["library"] = library
    return found


def lend(*objects: Any) -> None:
    """What the helper needs of asyncio; a program that blocks does not import that."""
    if _parts:
        _parts["library"].tendon_python_lend(*map(ctypes.py_object, objects))


def kind() -> str:
    """How commands are sent, for people."""
    return "with its native helper" if _parts else "through ctypes"


_found = _path()
_parts = _load(_found) if _found else {}
Caller: Any = _parts.get("Caller")
Session: Any = _parts.get("Session")
