"""How the results of several nodes of a cluster become one."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional

from tendon import _tables

# One node's result comes alone for all commands but these.
ALWAYS_BY_NODE = frozenset(("FLUSHALL", "FLUSHDB"))


def _union(results: List[List[Any]]) -> List[Any]:
    return list(dict.fromkeys(item for found in results for item in found))


def _subscribers(results: List[List[Any]]) -> List[Any]:
    total: Dict[Any, int] = {}
    for channel, count in (pair for found in results for pair in found):
        total[channel] = total.get(channel, 0) + count
    return list(total.items())


_WAYS: Dict[str, Callable[[List[Any]], Any]] = {
    "all": all,
    "all_of_each": lambda results: [all(found) for found in zip(*results)],
    "any_one": lambda results: int(any(results)),
    "first": lambda results: results[0],
    "subscribers": _subscribers,
    "sum": sum,
    "union": _union,
}


def merging(name: str) -> Optional[Callable[[List[Any]], Any]]:
    """What makes one result of several for this command, if anything does."""
    return _WAYS.get(_tables.MERGE.get(name, ""))
