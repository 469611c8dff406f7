"""How often and when a command is tried again: a description that the core carries out."""

from __future__ import annotations

import time
from typing import Any, Callable, Tuple, Type, TypeVar

from tendon.backoff import AbstractBackoff
from tendon.exceptions import ConnectionError, TimeoutError

T = TypeVar("T")


class Retry:
    """
    ``retries`` more attempts after the first, with the waits of ``backoff``; below 0 means for
    ever.

    Given to a client, it becomes core options: the core retries what was provably not executed,
    or is read-only or idempotent. ``call_with_retry`` is for work of your own.
    """

    def __init__(
        self,
        backoff: AbstractBackoff,
        retries: int,
        supported_errors: Tuple[Type[BaseException], ...] = (ConnectionError, TimeoutError),
    ) -> None:
        self._backoff = backoff
        self._retries = retries
        self._supported_errors = supported_errors

    def __eq__(self, other: Any) -> bool:
        return (
            isinstance(other, Retry)
            and self._backoff == other._backoff
            and self._retries == other._retries
            and set(self._supported_errors) == set(other._supported_errors)
        )

    def __hash__(self) -> int:
        return hash((self._backoff, self._retries, frozenset(self._supported_errors)))

    def get_retries(self) -> int:
        return self._retries

    def update_retries(self, value: int) -> None:
        """Counts for clients made afterwards; a client that exists keeps what it was given."""
        self._retries = value

    def update_supported_errors(self, specified_errors: Any) -> None:
        self._supported_errors = tuple(set(self._supported_errors) | set(specified_errors))

    def call_with_retry(self, do: Callable[[], T], fail: Callable[[Exception], Any]) -> T:
        """
        Returns do(); on a supported error calls fail(error), waits and tries again, then
        raises it.
        """
        failures = 0
        self._backoff.reset()
        while True:
            try:
                return do()
            except self._supported_errors as error:
                failures += 1
                fail(error)  # type: ignore[arg-type]
                if 0 <= self._retries < failures:
                    raise
            time.sleep(max(0.0, self._backoff.compute(failures)))
