"""
The exceptions of redis-py, and the mapping from libtendon's failures and the server's error
replies.

Every exception made here carries, beside its text (cause and remedy):

* ``executed``: ``"no"``, ``"yes"`` or ``"unknown"``: whether a server executed the command.
* ``status_code``: the name of libtendon's status (``"TIMEOUT"``) or the server's code
  (``"WRONGTYPE"``).
* ``node``: ``"host:port"`` of the last attempt, or ``""``; ``attempts``: how often it was tried.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Dict, Optional, Tuple, Type

from tendon._refusals import REFUSALS
from tendon._words import in_python_words

# fmt: off
__all__ = [
    "AskError", "AuthenticationError", "AuthenticationWrongNumberOfArgsError", "AuthorizationError",
    "BusyLoadingError", "CertificateError", "CertificateHostnameError", "ChildDeadlockedError",
    "ClientClosedError", "ClusterCrossSlotError", "ClusterDownError", "ClusterError",
    "ClusterUnavailableError", "ConfigurationError", "ConnectionError", "CrossSlotError",
    "CrossSlotTransactionError", "DataError", "ExceptionType", "ExecAbortError",
    "ExternalAuthProviderError", "IncorrectPolicyType", "InvalidPipelineStack",
    "InvalidResponse", "LockError", "LockNotOwnedError", "MasterDownError", "MaxConnectionsError",
    "ModuleError", "MovedError", "NoPermissionError", "NoScriptError", "NoSuchFieldsetError",
    "OutOfMemoryError", "PubSubError",
    "ReadOnlyError", "RedisClusterException", "RedisError", "ResponseError", "SlotNotCoveredError",
    "TLSConfigurationError", "TLSError", "TimeoutError", "TryAgainError", "WatchError",
]
# fmt: on


class ExceptionType(Enum):
    """What an error is about; ``error_type`` of every exception."""

    NETWORK = "network"
    TLS = "tls"
    AUTH = "auth"
    SERVER = "server"


class _Outcome(Exception):
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


class RedisError(_Outcome):
    """Base of every error of the client and the server, cluster exceptions excepted."""


class ConnectionError(RedisError):  # noqa: A001 - redis-py's name
    """No connection could be made, or one was lost."""

    error_type = ExceptionType.NETWORK


class TimeoutError(RedisError):  # noqa: A001 - redis-py's name
    """A deadline passed. Not a ConnectionError and not the builtin TimeoutError, as in redis-py."""

    error_type = ExceptionType.NETWORK


class AuthenticationError(ConnectionError):
    """The server refused user name or password, or wants one."""

    error_type = ExceptionType.AUTH


class AuthorizationError(ConnectionError):
    error_type = ExceptionType.AUTH


class BusyLoadingError(ConnectionError):
    """The server is loading its data set."""


class MaxConnectionsError(ConnectionError):
    """Every connection of the pool is in use and the pool does not wait."""


class ClientClosedError(ConnectionError):
    """The client was closed while or before the call. Only tendon has this class."""


class TLSError(ConnectionError):
    """The TLS handshake failed. Only tendon has this class."""

    error_type = ExceptionType.TLS


class CertificateError(TLSError):
    """
    The server's certificate is not trusted, expired or not yet valid. Only tendon has this
    class.
    """


class CertificateHostnameError(CertificateError):
    """The server's certificate is for another host name. Only tendon has this class."""


class InvalidResponse(RedisError):
    """The server sent bytes that are not RESP, or more than the limits allow."""


class DataError(RedisError):
    """Wrong arguments, found before anything was sent."""


class ConfigurationError(DataError, ValueError):
    """
    An option or URL is wrong. Only tendon has this class; ``except ValueError`` catches it too.
    """


class TLSConfigurationError(TLSError, ConfigurationError):
    """A certificate, key or CA file is missing or unusable. Only tendon has this class."""


class PubSubError(RedisError):
    pass


class WatchError(RedisError):
    """
    A watched key changed, or its connection was lost: nothing of the transaction was executed.
    """


class LockError(RedisError, ValueError):
    """A lock could not be acquired, or is not held."""

    def __init__(self, message: Any = None, lock_name: Any = None) -> None:
        super().__init__(*(() if message is None else (message,)))
        self.message, self.lock_name = message, lock_name


class LockNotOwnedError(LockError):
    pass


class ResponseError(RedisError):
    """The server answered with an error."""


class AuthenticationWrongNumberOfArgsError(ResponseError):
    error_type = ExceptionType.AUTH


class NoScriptError(ResponseError):
    pass


class ExecAbortError(ResponseError):
    pass


class ReadOnlyError(ResponseError):
    pass


class OutOfMemoryError(ResponseError):
    """The server is above its maxmemory."""


class NoPermissionError(ResponseError):
    error_type = ExceptionType.AUTH


class ModuleError(ResponseError):
    pass


class ClusterError(RedisError):
    pass


class ClusterDownError(ClusterError, ResponseError):
    pass


class MasterDownError(ClusterDownError):
    pass


class ClusterCrossSlotError(ResponseError):
    pass


class TryAgainError(ResponseError):
    pass


class AskError(ResponseError):
    """
    The key is on another node for this one command. ``slot_id``, ``host``, ``port``,
    ``node_addr``.
    """

    def __init__(self, text: str, status_code: Optional[str] = None) -> None:
        super().__init__(text, status_code=status_code)
        slot, address = text.split(" ")[:2]
        self.slot_id = int(slot)
        self.host, port = address.rsplit(":", 1)
        self.port = int(port)
        self.node_addr = (self.host, self.port)
        self.message = text


class MovedError(AskError):
    """The key's slot is on another node."""


class RedisClusterException(_Outcome):
    """
    Wrong use of a cluster client or a cluster that cannot be used. Not a RedisError, as in
    redis-py.
    """


class SlotNotCoveredError(RedisClusterException):
    pass


class CrossSlotTransactionError(RedisClusterException):
    pass


class InvalidPipelineStack(RedisClusterException):
    pass


class ClusterUnavailableError(SlotNotCoveredError, ConnectionError):
    """
    No usable node or map. Only tendon has this class; it is a RedisError too, so that fallbacks
    work.
    """

    error_type = ExceptionType.NETWORK


class CrossSlotError(RedisClusterException, ClusterCrossSlotError):
    """The keys are in different slots. Only tendon has this class."""


class ChildDeadlockedError(Exception):
    pass


class ExternalAuthProviderError(ConnectionError):
    """A credential provider failed; never raised by tendon, which lets its error through."""


class IncorrectPolicyType(Exception):
    """Never raised by tendon."""


class NoSuchFieldsetError(ResponseError):
    """Of a type of Redis 8."""


# One line for each status of spec/errors; a test compares them.
STATUSES: Dict[int, Tuple[str, Type[_Outcome]]] = {
    -1: ("ARGUMENT", DataError),
    -2: ("NO_MEMORY", RedisError),
    -3: ("SYSTEM", ConnectionError),
    -4: ("CLOSED", ClientClosedError),
    -5: ("FORKED", ClientClosedError),
    -6: ("STATE", RedisError),
    -7: ("UNSUPPORTED", ConfigurationError),
    -8: ("CONFIG", ConfigurationError),
    -9: ("URL", ConfigurationError),
    -10: ("TLS_CONFIG", TLSConfigurationError),
    -20: ("RESOLVE", ConnectionError),
    -21: ("CONNECT", ConnectionError),
    -22: ("CONNECT_TIMEOUT", TimeoutError),
    -23: ("TLS", TLSError),
    -24: ("TLS_CERTIFICATE", CertificateError),
    -25: ("TLS_HOSTNAME", CertificateHostnameError),
    -26: ("AUTH", AuthenticationError),
    -27: ("HANDSHAKE", ConnectionError),
    -30: ("DISCONNECTED", ConnectionError),
    -31: ("TIMEOUT", TimeoutError),
    -32: ("PROTOCOL", InvalidResponse),
    -33: ("LIMIT", InvalidResponse),
    -34: ("CANCELLED", RedisError),
    -35: ("QUEUE_FULL", MaxConnectionsError),
    -40: ("POOL_EXHAUSTED", MaxConnectionsError),
    -41: ("POOL_TIMEOUT", ConnectionError),
    -50: ("NO_NODE", ClusterUnavailableError),
    -51: ("TOPOLOGY", ClusterUnavailableError),
    -52: ("REDIRECTS", ClusterError),
    -53: ("CROSSSLOT", CrossSlotError),
    -60: ("SERVER", ResponseError),
}

# Codes that redis-py knows are cut from the text; the others ("WRONGTYPE ...") stay in it.
# fmt: off
_CODES: Dict[str, Type[RedisError]] = {
    "ERR": ResponseError, "OOM": OutOfMemoryError, "EXECABORT": ExecAbortError,
    "LOADING": BusyLoadingError, "NOSCRIPT": NoScriptError, "READONLY": ReadOnlyError,
    "NOAUTH": AuthenticationError, "WRONGPASS": AuthenticationError, "NOPERM": NoPermissionError,
    "ASK": AskError, "MOVED": MovedError, "TRYAGAIN": TryAgainError,
    "CLUSTERDOWN": ClusterDownError, "CROSSSLOT": ClusterCrossSlotError,
    "MASTERDOWN": MasterDownError,
}
# fmt: on
_TEXTS: Dict[str, Type[RedisError]] = {
    "max number of clients reached": ConnectionError,
    "invalid password": AuthenticationError,
    "Client sent AUTH, but no password is set": AuthenticationError,
    "wrong number of arguments for 'auth' command": AuthenticationWrongNumberOfArgsError,
    "wrong number of arguments (given 1, expected 2)": AuthenticationWrongNumberOfArgsError,
    "Error loading the extension. Please check the server logs.": ModuleError,
    "Error unloading module: no such module with that name": ModuleError,
}
# Server codes that prove the command changed nothing.
def from_reply(text: str) -> RedisError:
    """The exception for an error reply of the server."""
    code, _, rest = text.partition(" ")
    kind = _CODES.get(code)
    if kind is None:
        error: RedisError = ResponseError(text, status_code=code if code.isupper() else None)
    elif code == "ERR":
        error = _TEXTS.get(rest, ResponseError)(rest, status_code=code)
    else:
        try:
            error = kind(rest, status_code=code)
        except ValueError:  # a redirect without a readable address
            error = ResponseError(text, status_code=code)
    error.executed = "no" if code in REFUSALS else "unknown"
    return error


def from_status(status: int, text: str, prefix: str = "", executed: str = "no") -> _Outcome:
    """The exception for a failure that libtendon reports."""
    name, kind = STATUSES.get(status, (f"STATUS {status}", RedisError))
    if name == "HANDSHAKE" and prefix == "ERR" and text.startswith("ERR "):
        error: _Outcome = from_reply(text)  # SELECT of a database that is not there, for example
        error.executed = executed
        return error
    if not prefix:
        text = in_python_words(name, text)
    if name == "LIMIT" and executed == "no":
        kind = DataError
    elif name != "AUTH" and prefix in _CODES and prefix not in ("ASK", "MOVED", "ERR"):
        kind = _CODES[prefix]
    error = kind(text, status_code=name)
    error.executed = executed
    return error
