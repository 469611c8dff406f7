"""What a library built on this one calls itself in CLIENT LIST."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import List

from tendon._options import LIB_NAME, __version__

_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_PLAIN = re.compile(r"[!-~]*")


def _check(what: str, value: str, pattern: "re.Pattern[str]") -> None:
    if not pattern.fullmatch(value) or set(value) & set("()[]{}"):
        raise ValueError(f"{what} {value!r} must be printable, without spaces and brackets")


@dataclass
class DriverInfo:
    """``DriverInfo().add_upstream_driver("django-redis", "5.4.0")`` for option ``driver_info``."""

    name: str = LIB_NAME
    lib_version: str = __version__
    _upstream: List[str] = field(default_factory=list)

    @property
    def upstream_drivers(self) -> List[str]:
        return list(self._upstream)

    def add_upstream_driver(self, driver_name: str, driver_version: str) -> "DriverInfo":
        """Names a library that uses this one, the last added first; the same object."""
        _check("driver_name", driver_name, _NAME)
        _check("driver_version", driver_version, _PLAIN)
        self._upstream.insert(0, f"{driver_name}_v{driver_version}")
        return self

    @property
    def formatted_name(self) -> str:
        """As CLIENT LIST shows it."""
        return f"{self.name}({';'.join(self._upstream)})" if self._upstream else self.name
