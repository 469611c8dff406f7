"""Makes exceptions of the server's error replies and of libtendon's failures."""

from __future__ import annotations

from tendon._outcome import Outcome
from tendon._refusals import REFUSALS
from tendon._words import in_python_words
from tendon.exceptions import CODES, STATUSES, TEXTS, DataError, RedisError, ResponseError


def from_reply(text: str) -> RedisError:
    """The exception for an error reply of the server."""
    code, _, rest = text.partition(" ")
    kind = CODES.get(code)
    if kind is None:  # "WRONGTYPE ...": the word stays in the text
        error: RedisError = ResponseError(text, status_code=code if code.isupper() else None)
    elif code == "ERR":
        error = TEXTS.get(rest, ResponseError)(rest, status_code=code)
    else:
        try:
            error = kind(rest, status_code=code)
        except ValueError:  # a redirect without a readable address
            error = ResponseError(text, status_code=code)
    error.executed = "no" if code in REFUSALS else "unknown"
    return error


def from_status(status: int, text: str, prefix: str = "", executed: str = "no") -> Outcome:
    """The exception for a failure that libtendon reports."""
    name, kind = STATUSES.get(status, (f"STATUS {status}", RedisError))
    if name == "HANDSHAKE" and prefix == "ERR" and text.startswith("ERR "):
        error: Outcome = from_reply(text)  # SELECT of a database that is not there, for example
        error.executed = executed
        return error
    if not prefix:
        text = in_python_words(name, text)
    if name == "LIMIT" and executed == "no":
        kind = DataError
    elif name != "AUTH" and prefix in CODES and prefix not in ("ASK", "MOVED", "ERR"):
        kind = CODES[prefix]
    error = kind(text, status_code=name)
    error.executed = executed
    return error
