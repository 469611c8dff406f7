"""
The backoff classes of redis-py, as descriptions of a wait: libtendon does the waiting.

Each class names the retry strategy of the core that it becomes. ``compute(failures)`` gives the
wait in seconds after the n-th failure, for callers that wait themselves.
"""

from __future__ import annotations

import random
from typing import Any, Tuple

DEFAULT_CAP = 0.512
DEFAULT_BASE = 0.008


class AbstractBackoff:
    """Base of all. A subclass of your own cannot run in the core: the client refuses it by name."""

    strategy = ""
    jitter = False

    def __init__(self, cap: float = DEFAULT_CAP, base: float = DEFAULT_BASE) -> None:
        """``cap`` is the longest wait and ``base`` half of the first one, both in seconds."""
        self._cap = cap
        self._base = base

    def reset(self) -> None:
        """Does nothing: no state is kept between calls."""

    def compute(self, failures: int) -> float:
        """The wait in seconds after the n-th failure, n from 1."""
        longest = min(self._cap, self._base * 2.0**failures)
        return random.uniform(0.0, longest) if self.jitter else longest

    def first_and_longest_ms(self) -> Tuple[int, int]:
        """The first and the longest wait in milliseconds, as the core's options want them."""
        longest = round(self._cap * 1000)
        return min(round(self._base * 2000), longest), longest

    def _state(self) -> Tuple[float, float]:
        return (self._cap, self._base)

    def __eq__(self, other: Any) -> bool:
        return type(self) is type(other) and self._state() == other._state()

    def __hash__(self) -> int:
        return hash((type(self), self._state()))


class ConstantBackoff(AbstractBackoff):
    strategy = "constant"

    def __init__(self, backoff: float) -> None:
        """``backoff`` is the wait in seconds."""
        super().__init__(cap=backoff, base=backoff / 2)

    def compute(self, failures: int) -> float:
        return self._cap


class NoBackoff(ConstantBackoff):
    strategy = "none"

    def __init__(self) -> None:
        super().__init__(0)


class ExponentialBackoff(AbstractBackoff):
    strategy = "exponential"


class FullJitterBackoff(AbstractBackoff):
    strategy = "exponential"
    jitter = True


class ExponentialWithJitterBackoff(FullJitterBackoff):
    pass


class EqualJitterBackoff(FullJitterBackoff):
    """Half fixed, half random. The core has full jitter only: its waits are shorter on average."""

    def compute(self, failures: int) -> float:
        half = min(self._cap, self._base * 2.0**failures) / 2
        return half + random.uniform(0, half)


class DecorrelatedJitterBackoff(FullJitterBackoff):
    """In the core this is exponential with full jitter."""


def default_backoff() -> AbstractBackoff:
    return EqualJitterBackoff()
