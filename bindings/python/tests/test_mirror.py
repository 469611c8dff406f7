"""Every public name of redis-py is here, or left out with a reason: spec/surface/*-python.txt."""

from __future__ import annotations

import importlib
import os
import unittest
from typing import Any, Iterator, List

import tendon
import tendon.asyncio
from tests import support

CLIENTS = {
    "Redis": tendon.Redis,
    "RedisCluster": tendon.RedisCluster,
    "asyncio.Redis": tendon.asyncio.Redis,
    "asyncio.RedisCluster": tendon.asyncio.RedisCluster,
}
# Attributes that only instances have.
OF_INSTANCES = {"response_callbacks", "read_from_replicas"}


def lines(name: str) -> Iterator[List[str]]:
    with open(os.path.join(support.ROOT, "spec/surface", name), encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                yield line.split()


def lacking(words: List[str]) -> List[str]:
    """Where the name of a line of mirror-python.txt is not found."""
    name, owners = words[0], words[1:]
    if owners:
        return [owner for owner in owners if not hasattr(CLIENTS[owner], name)]
    module, _, member = name.partition(":")
    if member:
        module = module.replace("redis", "tendon", 1)
        return [] if hasattr(importlib.import_module(module), member) else [module]
    path, _, member = name.rpartition(".")
    module, _, kind = path.rpartition(".")
    owner: Any = getattr(importlib.import_module(f"tendon.{module}"), kind)
    return [] if hasattr(owner, member) else [path]


@unittest.skipUnless(os.path.exists(os.path.join(support.ROOT, "spec/surface")), "no repository")
class MirrorTest(unittest.TestCase):
    def test_every_name(self) -> None:
        left_out = {words[0] for words in lines("missing-python.txt")} | OF_INSTANCES
        wrong = []
        for words in lines("mirror-python.txt"):
            if words[0] not in left_out:
                wrong += [f"{words[0]} in {owner}" for owner in lacking(words)]
        self.assertEqual(wrong, [])

    def test_a_reason_is_told(self) -> None:
        with support.client() as client, self.assertRaisesRegex(AttributeError, "modules"):
            client.json()
