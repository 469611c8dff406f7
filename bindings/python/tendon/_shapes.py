"""
What each command's reply becomes in Python: redis-py's types, whatever the wire.

The core gives every known reply the form that it has over RESP3. A callback takes that, decoded,
and the options that the method passed; spec/surface/python-replies.txt says which a command has.
Replies of other commands stay as they came: bytes (or str), int, float, list, dict, None. As in
redis-py there are three sets: the usual one, that of an explicit ``protocol=3`` and the unified one
of ``legacy_responses=False``.
"""

from __future__ import annotations

import functools
from typing import Any, Callable, Dict

from tendon import _expressions, _structures, _tables, _texts

Callback = Callable[..., Any]
LEGACY, RESP3, UNIFIED = "legacy", "resp3", "unified"


def _function(name: str) -> Callback:
    for module in (_expressions, _structures, _texts):
        if name in vars(module):
            found: Callback = getattr(module, name)
            return found
    raise AttributeError(f"nothing makes the result {name}")


@functools.lru_cache(maxsize=None)
def _functions(shapes: str, cluster: bool) -> Dict[str, Callback]:
    names: Dict[str, str] = {**_tables.REPLIES, **(_tables.REPLIES_CLUSTER if cluster else {})}
    unlike = {LEGACY: {}, RESP3: _tables.REPLIES_RESP3, UNIFIED: _tables.REPLIES_UNIFIED}
    names.update(unlike[shapes])
    if not cluster:
        for name in _tables.REPLIES_CLUSTER:
            names.pop(name, None)
    return {name: _function(made) for name, made in names.items() if made != "none"}


class Callbacks(Dict[str, Callback]):
    """Response callbacks by command name, in capitals; lookups ignore case as redis-py's do."""

    def __init__(self, shapes: str = LEGACY, cluster: bool = False) -> None:
        super().__init__(_functions(shapes, cluster))

    def __setitem__(self, name: str, callback: Callback) -> None:
        super().__setitem__(name.upper(), callback)
