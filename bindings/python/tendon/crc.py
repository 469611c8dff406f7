"""The slot of a key."""

from __future__ import annotations

from tendon._core import key_slot as _key_slot

__all__ = ["REDIS_CLUSTER_HASH_SLOTS", "key_slot"]

REDIS_CLUSTER_HASH_SLOTS = 16384


def key_slot(key: bytes, bucket: int = REDIS_CLUSTER_HASH_SLOTS) -> int:
    """The slot of a key: that of what is between its first { and the next }, if anything is."""
    return _key_slot(key) % bucket
