"""
Turns redis-py's keyword arguments into options of the core (docs/options.md); it connects nothing.
"""

from __future__ import annotations

import difflib
import socket
from typing import Any, Dict, Iterable, Mapping, NamedTuple, Optional, Type, Union

from tendon._keywords import DEFAULTS, REFUSED, TEXTS, UNSET
from tendon._retry import BaseRetry
from tendon._shapes import LEGACY, RESP3, UNIFIED
from tendon.backoff import ExponentialWithJitterBackoff, NoBackoff

# fmt: off
from tendon.exceptions import (
    BusyLoadingError, ClusterDownError, ConfigurationError, ConnectionError, DataError,
    ReadOnlyError, TimeoutError, TryAgainError,
)
# fmt: on
from tendon.retry import Retry

__version__ = "0.1.0"

LIB_NAME = "tendon-py"
_REDIAL_MS_MAX = 10  # keeps a client without backoff from dialling in a tight loop
NO_LIMIT_MS = 3600000  # the longest connect timeout the core takes, for callers who want none
CoreValue = Union[str, bytes]

# Errors the core retries by its own rules: naming them in retry_on_error asks for nothing else.
# fmt: off
_RETRIED = (
    ConnectionError, TimeoutError, BusyLoadingError, ReadOnlyError, ClusterDownError, TryAgainError,
    OSError,
)
# fmt: on


class Options(NamedTuple):
    """What a pool needs to know: options of the core, and what stays in Python."""

    core: Dict[str, CoreValue]
    timeout_ms: int  # of each request: 0 leaves it to the core, -1 is none
    encoding: str
    encoding_errors: str
    decode_responses: bool
    shapes: str  # of results: one of _shapes.LEGACY, RESP3, UNIFIED
    credential_provider: Any


def get_lib_version() -> str:
    return __version__


def check_names(owner: str, given: Iterable[str], known: Iterable[str]) -> None:
    """
    Raises TypeError for the first name in `given` that is not in `known`, with the nearest one.
    """
    names = sorted(known)
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise TypeError(f"{owner} got an unexpected keyword argument '{name}'{hint}")


def default_retry() -> Retry:
    """What Redis() and RedisCluster() do when they are given no Retry."""
    return Retry(ExponentialWithJitterBackoff(base=0.01, cap=1), 10)


def resolve(owner: str, given: Mapping[str, Any]) -> Options:
    """
    Checks the names and values in `given` and translates them. Raises TypeError and DataError.
    """
    check_names(owner, given, DEFAULTS)
    values = {**DEFAULTS, **given}
    for name in REFUSED:
        if values[name]:
            raise ConfigurationError(
                f"option {name} is not supported by tendon; leave it out "
                "(see bindings/python/DIFFERENCES.md)"
            )
    core: Dict[str, CoreValue] = {}
    for name, option in TEXTS.items():
        if values[name] not in (None, "") and (values["ssl"] or not name.startswith("ssl_")):
            core[option] = str(values[name])
    _server(core, values)
    _names(core, values)
    forever = _times(core, values)
    forever = _retries(core, values) or forever
    if values["ssl"]:
        _tls(core, values)
    for name, value in (values["tendon_options"] or {}).items():
        core[name] = value if isinstance(value, bytes) else _plain(value)
    return Options(
        core,
        -1 if forever else 0,
        values["encoding"],
        values["encoding_errors"],
        bool(values["decode_responses"]),
        _shapes_of(values),
        values["credential_provider"],
    )


def _shapes_of(values: Mapping[str, Any]) -> str:
    if not values["legacy_responses"]:
        return UNIFIED
    return RESP3 if values["protocol"] in (3, "3") else LEGACY


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _milliseconds(name: str, seconds: Any) -> str:
    """
    Seconds of redis-py as milliseconds of the core; never rounded down to 0, which means "off".
    """
    try:
        value = float(seconds)
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"option {name} must be a number of seconds, not {seconds!r}"
        ) from None
    if value < 0:
        raise ConfigurationError(f"option {name} must not be negative, it is {seconds!r}")
    return str(max(1, round(value * 1000)) if value else 0)


def _server(core: Dict[str, CoreValue], values: Mapping[str, Any]) -> None:
    core["mode"] = "standalone"
    if values["credential_provider"] and (values["username"] or values["password"]):
        raise DataError("credential_provider excludes username and password; pass one or the other")
    streaming = getattr(values["credential_provider"], "is_streaming", None)
    if streaming is not None and streaming():
        raise ConfigurationError(
            "a streaming credential_provider would never be asked again; pass one that is not"
        )
    set_credentials(core, values["username"], values["password"])
    if values["protocol"] not in (None, 2, 3, "2", "3"):
        raise ConnectionError("protocol must be either 2 or 3")


def set_credentials(core: Dict[str, CoreValue], username: Any, password: Any) -> None:
    for name, value in (("username", username), ("password", password)):
        if value:
            core[name] = value if isinstance(value, bytes) else str(value).encode()


def _names(core: Dict[str, CoreValue], values: Mapping[str, Any]) -> None:
    lib_name, lib_version = values["lib_name"], values["lib_version"]
    driver = values["driver_info"]
    if driver is None:
        lib_name = lib_version = None
    elif driver is not UNSET:
        lib_name = getattr(driver, "formatted_name", None) or getattr(driver, "name", LIB_NAME)
        lib_version = getattr(driver, "lib_version", None)
    core["lib_name"] = LIB_NAME if lib_name is UNSET else str(lib_name or "")
    core["lib_version"] = __version__ if lib_version is UNSET else str(lib_version or "")


def _times(core: Dict[str, CoreValue], values: Mapping[str, Any]) -> bool:
    """Timeouts and keepalive. True when a command may take for ever."""
    timeout, connect = values["socket_timeout"], values["socket_connect_timeout"]
    connect = timeout if connect is None else connect
    if connect is None:
        core["connect_timeout_ms"] = str(NO_LIMIT_MS)
    else:
        core["connect_timeout_ms"] = _milliseconds("socket_connect_timeout", connect)
    core["command_timeout_ms"] = "0"
    if timeout is not None:
        core["read_timeout_ms"] = core["write_timeout_ms"] = _milliseconds(
            "socket_timeout", timeout
        )
    core["health_check_interval_ms"] = _milliseconds(
        "health_check_interval", values["health_check_interval"]
    )
    core["tcp_keepalive"] = _plain(bool(values["socket_keepalive"]))
    tuning = values["socket_keepalive_options"]
    if tuning is not UNSET and tuning:
        names = {
            "TCP_KEEPIDLE": "tcp_keepalive_idle_s",
            "TCP_KEEPINTVL": "tcp_keepalive_interval_s",
            "TCP_KEEPCNT": "tcp_keepalive_count",
        }
        known = {
            getattr(socket, name): option for name, option in names.items() if hasattr(socket, name)
        }
        for number, value in tuning.items():
            if number not in known:
                raise ConfigurationError(
                    f"socket_keepalive_options: {number} is not one of {list(names)}"
                )
            core[known[number]] = str(value)
    return timeout is None


def _retries(core: Dict[str, CoreValue], values: Mapping[str, Any]) -> bool:
    """How often and when to retry. True when retries never end."""
    extra = tuple(values["retry_on_error"] or ())
    for kind in extra:
        if not (isinstance(kind, type) and issubclass(kind, _RETRIED)):
            raise ConfigurationError(
                f"retry_on_error: tendon cannot retry on {kind!r}; catch it and call again"
            )
    retry: Optional[BaseRetry] = values["retry"]
    if retry is None:
        again = bool(values["retry_on_timeout"] or extra)
        retry = Retry(NoBackoff(), 1 if again else 0)
        on_timeout = bool(values["retry_on_timeout"]) or _covers(extra, TimeoutError)
    else:
        on_timeout = _covers(retry._supported_errors + extra, TimeoutError)
    backoff = retry._backoff
    if type(backoff).__module__ != "tendon.backoff":
        raise ConfigurationError(
            f"retry: {type(backoff).__name__} is not a class of tendon.backoff; choose one of those"
        )
    first, longest = backoff.first_and_longest_ms()
    core["max_retries"] = str(max(-1, retry.get_retries()))
    core["retry_strategy"] = backoff.strategy
    core["retry_jitter"] = _plain(backoff.jitter)
    core["retry_on_timeout"] = _plain(on_timeout)
    core["retry_backoff_min_ms"], core["retry_backoff_max_ms"] = str(first), str(longest)
    # A node that refused is dialled again in the same rhythm; without backoff, almost at once.
    core["reconnect_backoff_min_ms"] = str(first or 1)
    core["reconnect_backoff_max_ms"] = str(longest or _REDIAL_MS_MAX)
    return retry.get_retries() < 0


def _covers(kinds: Iterable[Type[BaseException]], wanted: Type[BaseException]) -> bool:
    return any(issubclass(wanted, kind) for kind in kinds)


def _tls(core: Dict[str, CoreValue], values: Mapping[str, Any]) -> None:
    core["tls"] = "yes"
    core["tls_system_ca"] = "yes"  # redis-py adds its CAs to the system's
    if values["ssl_certfile"] and not values["ssl_keyfile"]:
        core["tls_key_file"] = str(values["ssl_certfile"])
    if values["ssl_ca_data"]:
        core["tls_ca_pem"] = _pem(values["ssl_ca_data"])
    verify = _cert_reqs(values["ssl_cert_reqs"])
    core["tls_insecure_skip_verify"] = _plain(not verify)
    core["tls_insecure_skip_hostname"] = _plain(verify and not values["ssl_check_hostname"])
    version = values["ssl_min_version"]
    if version is not None:
        names = {0x0303: "1.2", 0x0304: "1.3", -1: "1.3", "1.2": "1.2", "1.3": "1.3"}
        if version not in names:
            raise ConfigurationError(
                f"ssl_min_version: {version!r} is not TLS 1.2 or 1.3, which tendon speaks"
            )
        core["tls_min_version"] = names[version]


def _cert_reqs(value: Any) -> bool:
    """
    Whether the server's certificate is verified. "optional" verifies, as it does in Python's
    clients.
    """
    if value is None:
        return False
    text = value if isinstance(value, str) else getattr(value, "name", str(value))
    verified = {"none": False, "optional": True, "required": True}.get(
        text[5:].lower() if text.startswith("CERT_") else text
    )
    if verified is None:
        raise ConfigurationError(
            f"ssl_cert_reqs: {value!r} is not one of 'none', 'optional', 'required'"
        )
    return verified


def _pem(data: Union[str, bytes]) -> str:
    if isinstance(data, str):
        return data
    if b"-----BEGIN" in data:
        return data.decode("ascii")
    import ssl

    return ssl.DER_cert_to_PEM_cert(data)
