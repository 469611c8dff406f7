"""
Every generated command method, called against real servers, blocking and with asyncio, over RESP2
and RESP3, and what comes back compared with the type that the method declares.
"""

from __future__ import annotations

import asyncio
import datetime
import inspect
import os
import re
import socket
import typing
import unittest
from typing import Any, Dict, List, Tuple

import tendon
import tendon.asyncio
from tests import surface_cases, support

TAG = "{py:surface}"
NODE = re.compile(r"[\w.:\[\]-]+:\d+")
KINDS = {**vars(typing), "datetime": datetime}
# The wire and the shapes: options of the client, which of the three declared types.
ENVIRONMENTS: List[Tuple[Dict[str, Any], int]] = [
    ({"protocol": 2}, 0),
    ({}, 0),
    ({"decode_responses": True}, 0),
    ({"protocol": 3, "decode_responses": True}, 1),
    ({"legacy_responses": False}, 2),
]
SAVING = ("bgsave", "bgrewriteaof", "save")
REFUSALS = (tendon.RedisError, tendon.RedisClusterException)


def filled(value: Any) -> Any:
    """{t} replaced by the tag of these tests."""
    if isinstance(value, str):
        return value.replace("{t}", TAG)
    if isinstance(value, (list, tuple)):
        return type(value)(map(filled, value))
    if isinstance(value, dict):
        return {filled(name): filled(item) for name, item in value.items()}
    return value


def arguments(method: Any, given: Dict[str, Any]) -> Tuple[List[Any], Dict[str, Any]]:
    """The arguments by name as a call has them."""
    given = filled(given)
    positional: List[Any] = []
    starred = [
        one.name
        for one in inspect.signature(method).parameters.values()
        if one.kind is one.VAR_POSITIONAL and one.name in given
    ]
    if starred:
        for one in inspect.signature(method).parameters.values():
            if one.kind is one.VAR_POSITIONAL:
                positional += given.pop(one.name)
                break
            if one.name in given:
                positional.append(given.pop(one.name))
    return positional, given


def fits(value: Any, kind: Any, text: type) -> bool:
    """Whether `value` is of the type `kind`, exactly: a bool is no int."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return True
    if origin is typing.Union:
        return any(fits(value, one, text) for one in inner)
    if origin is list:
        return type(value) is list and all(fits(item, inner[0], text) for item in value)
    if origin is set:
        return type(value) is set and all(fits(item, inner[0], text) for item in value)
    if origin is dict:
        return type(value) is dict and all(
            fits(name, inner[0], text) and fits(item, inner[1], text)
            for name, item in value.items()
        )
    if origin is tuple:
        return (
            type(value) is tuple
            and len(value) == len(inner)
            and all(fits(item, one, text) for item, one in zip(value, inner))
        )
    return type(value) is (type(None) if kind is None else kind)


class Surface:
    """The calls of one client, and what was wrong with them."""

    def __init__(self, client: Any, known: List[Any], shape: int, decode: bool) -> None:
        self.client, self.shape = client, shape
        self.text: type = str if decode else bytes
        self.known = {name.decode() if isinstance(name, bytes) else name for name in known}
        self.wrong: List[str] = []
        self.count = 0

    def make(self) -> Any:
        pipe = self.client.pipeline(transaction=False)
        pipe.execute_command("DEL", *filled(surface_cases.KEYS))
        for command in filled(surface_cases.MAKE):
            pipe.execute_command(*command)
        return pipe.execute()

    def kind(self, results: Any) -> Any:
        written = results[self.shape].replace("Iterator[", "List[")
        return eval(written, {**KINDS, "Text": self.text})  # noqa: S307 - our own generated types

    def judge(self, case: Any, value: Any) -> None:
        name, command, _, given, results, error = case
        self.count += 1
        if isinstance(value, Exception):
            unknown = command and command.replace(" ", "|").lower() not in self.known
            if not isinstance(value, REFUSALS) or (
                not unknown and (error is None or not str(value).startswith(error))
            ):
                self.wrong.append(f"{name}({given}): {type(value).__name__}: {value}")
            return
        if error is not None:
            self.wrong.append(f"{name}({given}) gave {value!r} instead of the error {error!r}")
        elif not self.is_declared(value, self.kind(results)):
            self.wrong.append(f"{name}({given}) gave {value!r}, declared {results[self.shape]}")

    def is_declared(self, value: Any, kind: Any) -> bool:
        if fits(value, kind, self.text):
            return True
        if type(value) is dict and value and all(NODE.fullmatch(str(node)) for node in value):
            return all(fits(item, kind, self.text) for item in value.values())  # of several nodes
        if type(value) is tuple and type(value[0]) is dict:  # cursors of several nodes
            return fits((0, *value[1:]), kind, self.text)
        return False

    def run(self, cases: Any) -> None:
        stale = True
        for case in cases:
            if stale:
                self.make()
            method, stale = getattr(self.client, case[0]), case[2]
            positional, named = arguments(method, case[3])
            try:
                value = method(*positional, **named)
                self.judge(case, list(value) if inspect.isgenerator(value) else value)
            except Exception as failure:
                self.judge(case, failure)
        self.client.delete(*filled(surface_cases.KEYS))

    async def run_async(self, cases: Any) -> None:
        stale = True
        for case in cases:
            if stale:
                await self.make()
            method, stale = getattr(self.client, case[0]), case[2]
            positional, named = arguments(method, case[3])
            try:
                value = method(*positional, **named)
                if inspect.isasyncgen(value):
                    self.judge(case, [item async for item in value])
                else:
                    self.judge(case, await value)
            except Exception as failure:
                self.judge(case, failure)
        await self.client.delete(*filled(surface_cases.KEYS))


class SurfaceCase(unittest.TestCase):
    def report(self, surface: Surface) -> None:
        if surface.wrong:
            self.fail(f"{len(surface.wrong)} of {surface.count}:\n" + "\n".join(surface.wrong))

    def check(self, make: Any, cases: Any) -> None:
        for options, shape in ENVIRONMENTS:
            with self.subTest(**options), make(**options) as client:
                decode = options.get("decode_responses", False)
                surface = Surface(client, client.command_list(), shape, decode)
                surface.run(cases)
                self.report(surface)

    def check_async(self, make: Any, cases: Any) -> None:
        async def run(options: Dict[str, Any], shape: int) -> Surface:
            async with make(**options) as client:
                decode = options.get("decode_responses", False)
                surface = Surface(client, await client.command_list(), shape, decode)
                await surface.run_async(cases)
            return surface

        for options, shape in ENVIRONMENTS[::3]:  # shapes are made by the same functions
            with self.subTest(**options):
                self.report(asyncio.run(run(options, shape)))


def standalone(kind: Any) -> Any:
    return lambda **options: kind(host=support.HOST, port=support.PORT, **options)


def cluster(kind: Any) -> Any:
    node = support.SERVERS["cluster"]["nodes"][0]
    return lambda **options: kind(host=node["host"], port=node["port"], **options)


class EveryMethod(SurfaceCase):
    @classmethod
    def tearDownClass(cls) -> None:
        """Removes what is not a key: a user and a library."""
        for make in (standalone(tendon.Redis), cluster(tendon.RedisCluster)):
            with make() as client:
                client.acl_deluser("tendon-python")
                try:
                    client.function_delete("tendonpy")
                except tendon.ResponseError:
                    pass  # a test that was chosen alone did not load it

    def test_standalone(self) -> None:
        self.check(standalone(tendon.Redis), surface_cases.CASES)

    def test_standalone_asyncio(self) -> None:
        self.check_async(standalone(tendon.asyncio.Redis), surface_cases.CASES)

    def test_cluster(self) -> None:
        cases = surface_cases.CASES + surface_cases.CLUSTER_CASES
        self.check(cluster(tendon.RedisCluster), cases)

    def test_cluster_asyncio(self) -> None:
        cases = surface_cases.CASES + surface_cases.CLUSTER_CASES
        self.check_async(cluster(tendon.asyncio.RedisCluster), cases)

    def test_not_offered(self) -> None:
        with cluster(tendon.RedisCluster)() as client:
            for name in surface_cases.REFUSED:
                with self.subTest(name), self.assertRaises(NotImplementedError):
                    getattr(client, name)()


class OwnServer(SurfaceCase):
    """Methods that end, empty or stop a server."""

    def setUp(self) -> None:
        self.port = support.own_server(self, "enable-debug-command yes")

    def test_methods(self) -> None:
        for options, shape in ENVIRONMENTS:
            with self.subTest(**options), tendon.Redis(port=self.port, **options) as client:
                decode = options.get("decode_responses", False)
                surface = Surface(client, client.command_list(), shape, decode)
                for case in surface_cases.ALONE:
                    if case[0] != "shutdown":
                        settle(client)
                        surface.run([case])
                self.report(surface)

    def test_shutdown_asyncio_methods(self) -> None:
        async def run() -> Surface:
            async with tendon.asyncio.Redis(port=self.port) as client:
                surface = Surface(client, await client.command_list(), 0, False)
                await surface.run_async(
                    [case for case in surface_cases.ALONE if case[0] not in ("shutdown", *SAVING)]
                )
            return surface

        self.report(asyncio.run(run()))
        with tendon.Redis(port=self.port, retry=support.ONCE) as client:
            self.assertIsNone(client.shutdown(nosave=True))
            support.wait_until(lambda: not support.answers(client))


def settle(client: Any) -> None:
    """Waits for saving in the background to end: a second one is refused."""
    support.wait_until(
        lambda: (
            not sum(
                client.info("persistence")[name]
                for name in ("rdb_bgsave_in_progress", "aof_rewrite_in_progress")
            )
        )
    )
