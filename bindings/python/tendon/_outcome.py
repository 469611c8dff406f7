"""What the exceptions of this package are made of; the classes themselves are in exceptions.py."""

from __future__ import annotations

from enum import Enum
from typing import Any, Optional


class ExceptionType(Enum):
    """What an error is about; ``error_type`` of every exception."""

    NETWORK = "network"
    TLS = "tls"
    AUTH = "auth"
    SERVER = "server"


class Outcome(Exception):
    """What every exception of this package can tell beside its text."""

    executed: str = "no"
    error_type: ExceptionType = ExceptionType.SERVER
    node: str = ""
    attempts: int = 0

    def __init__(self, *args: Any, status_code: Optional[str] = None) -> None:
        super().__init__(*args)
        self.status_code = status_code

    def __repr__(self) -> str:
        return f"{self.error_type.value}:{type(self).__name__}"


class OfLock(Outcome):
    """Names the lock."""

    def __init__(self, message: Any = None, lock_name: Any = None) -> None:
        super().__init__(*(() if message is None else (message,)))
        self.message, self.lock_name = message, lock_name


class Redirect(Outcome):
    """Reads where the server sends the command: "3999 127.0.0.1:6381"."""

    def __init__(self, text: str, status_code: Optional[str] = None) -> None:
        super().__init__(text, status_code=status_code)
        slot, address = text.split(" ")[:2]
        self.slot_id = int(slot)
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)
        self.node_addr = (self.host, self.port)
        self.message = text
