"""
Names of redis-py's that have no method here: asking for one tells why, and what to do instead.

Descriptors, because a class with ``__getattr__`` makes every other attribute slower.
"""

from __future__ import annotations

from typing import Any

from tendon.commands.missing import REASONS

_TEXT = (
    "'{}' object has no attribute '{}' ({}); execute_command() runs any command of the server "
    "(see bindings/python/DIFFERENCES.md)"
)


class Missing:
    def __init__(self, name: str, reason: str) -> None:
        self._name, self._reason = name, reason

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        # The class is asked by tools that look at everything it has.
        name = (owner if instance is None else type(instance)).__name__
        raise AttributeError(_TEXT.format(name, self._name, self._reason))


def mark_missing(owner: Any) -> None:
    """Puts a Missing where the class has no method of that name."""
    for name, reason in REASONS.items():
        if not hasattr(owner, name):
            setattr(owner, name, Missing(name, reason))
