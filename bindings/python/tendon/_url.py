"""Reads redis-py's URLs: redis://, rediss:// and unix://, with options as the query."""

from __future__ import annotations

from typing import Any, Callable, Dict, List
from urllib.parse import parse_qs, unquote, urlsplit

from tendon._keywords import URL_KINDS
from tendon.exceptions import ConfigurationError

_FALSE = {"0", "F", "FALSE", "N", "NO"}


def _boolean(text: str) -> bool:
    return text.upper() not in _FALSE


def _errors(text: str) -> List[type]:
    from tendon import exceptions

    return [
        getattr(exceptions, name.strip()) for name in text.strip("[]").split(",") if name.strip()
    ]


_KINDS: Dict[str, Callable[[str], Any]] = {"int": int, "float": float, "flag": _boolean}
_TYPES: Dict[str, Callable[[str], Any]] = {
    **{name: _KINDS[kind] for name, kind in URL_KINDS.items()},
    "timeout": float,  # of a BlockingConnectionPool
    "ssl_min_version": lambda text: text if text in ("1.2", "1.3") else int(text),
    "retry_on_error": _errors,
}


def parse_url(url: str) -> Dict[str, Any]:
    """
    The keyword arguments that `url` stands for; raises ConfigurationError (a ValueError).

    The scheme is "redis", "rediss" or "unix" in any case. User, password, host and path are
    percent-decoded once. `db` is the query's, else the path's number.
    """
    from tendon._core import check_url

    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if scheme not in ("redis", "rediss", "unix"):
        raise ConfigurationError(
            "Redis URL must specify one of the following schemes (redis://, rediss://, unix://)"
        )
    plain, _, query = url.partition("?")
    check_url(scheme + plain[plain.index(":") :])
    parts = urlsplit(url)
    found: Dict[str, Any] = {}
    for name, part in (("username", parts.username), ("password", parts.password)):
        if part:
            found[name] = unquote(part)
    if scheme == "unix":
        found["path"] = unquote(parts.path)
    else:
        if parts.hostname:
            found["host"] = unquote(parts.hostname)
        if parts.port:
            found["port"] = parts.port
        if parts.path.strip("/"):
            found["db"] = int(unquote(parts.path).strip("/"))
        if scheme == "rediss":
            found["ssl"] = True
    found.update(_query(query))
    return found


def _query(query: str) -> Dict[str, Any]:
    found = {}
    for name, texts in parse_qs(query).items():
        try:
            found[name] = _TYPES.get(name, str)(texts[0])
        except (TypeError, ValueError, AttributeError):
            raise ConfigurationError(f"Invalid value for '{name}' in connection URL.") from None
    return found
