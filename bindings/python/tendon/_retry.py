"""What Retry is for blocking and asyncio clients: a description that the core carries out."""

from __future__ import annotations

from typing import Any, Tuple, Type

from tendon.backoff import AbstractBackoff
from tendon.exceptions import ConnectionError, TimeoutError


class BaseRetry:
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
            isinstance(other, BaseRetry)
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
