"""
Says the core's errors in redis-py's words: the names of its options, and what to do instead of
what the core refuses.
"""

from __future__ import annotations

import re
from typing import Dict

from tendon._keywords import NAMES

_NAMES = {**NAMES, "pool_wait_ms": "the timeout of a BlockingConnectionPool"}
# These have no name in redis-py.
for _name in ("tls_server_name", "tls_system_ca", "tls_cert_pem", "tls_key_pem", "max_pending"):
    _NAMES[_name] = f'tendon_options={{"{_name}": ...}}'
# "tls" is an ordinary word, too: it is a name where the core calls it an option.
_NAME = re.compile(
    r"\boption tls\b(?!_)|(?<![\w/.-])(?:"
    + "|".join(sorted(_NAMES.keys() - {"tls"}, key=len, reverse=True))
    + r")(?![\w/.-]*[\w/-])"
)

_OWN_CONNECTION = (
    "use a connection of your own: Redis(..., single_connection_client=True) or "
    "pool.get_connection()"
)
_REMEDIES: Dict[str, str] = {
    "SELECT": "pass db= to a client for that database",
    "AUTH": "pass username= and password= to the client",
    "HELLO": "pass protocol=, username= and password= to the client",
    "QUIT": "call close()",
    **dict.fromkeys(("MULTI", "EXEC", "DISCARD", "WATCH", "UNWATCH"), "use pipeline()"),
}


def _python_name(found: "re.Match[str]") -> str:
    word = found.group()
    return "option ssl" if word == "option tls" else _NAMES[word]


def in_python_words(status: str, text: str) -> str:
    """
    The text of a failure with this status ("TLS", "STATE"). Server errors do not come here: they
    stay as the server wrote them.
    """
    if status == "STATE":
        said, cut, _ = text.partition("; use a lease")
        remedy = _REMEDIES.get(said.split(" ", 1)[0].upper(), _OWN_CONNECTION)
        return f"{said}; {remedy}" if cut else text
    if status == "UNSUPPORTED":
        said, cut, _ = text.partition("; see tendon_subscription_open")
        command = said.split(" ", 1)[0].upper()
        other = "pubsub()" if command.endswith("SUBSCRIBE") else "redis-py beside tendon"
        return f"{said}; use {'monitor()' if command == 'MONITOR' else other}" if cut else text
    if status == "URL":  # quotes what the caller wrote
        return text
    if status == "CONFIG":  # may be about tendon_options, so both names are told
        names = {word: _NAMES[word] for word in _NAME.findall(text) if word in _NAMES}
        known = ", ".join(f"{word} is {name}" for word, name in names.items() if "=" not in name)
        return f"{text} ({known} in Python)" if known else text
    return _NAME.sub(_python_name, text)
