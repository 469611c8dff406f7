"""
Without a server: the tape into values, arguments into bytes, statuses and replies into exceptions.
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
import unittest
from typing import Any, List

import tendon
from tendon import _failures, _native, _reply, exceptions
from tendon._encoder import Encoder, command_name
from tendon._shapes import Callbacks
from tests.support import ROOT


class Tape:
    """Builds the tape of a value by hand, as the header describes it."""

    def __init__(self, value: Any) -> None:
        self.nodes: List[bytes] = []
        self.data = b""
        self.add(value)

    def add(self, value: Any) -> None:
        kind, content = value
        if isinstance(content, list):
            at = len(self.nodes)
            self.nodes.append(b"")
            for child in content:
                self.add(child)
            span = len(self.nodes) - at
            self.nodes[at] = struct.pack("=BBHIq", kind, 0, 0, len(content), span)
        elif isinstance(content, bytes):
            self.nodes.append(struct.pack("=BBHIq", kind, 0, 0, len(content), len(self.data)))
            self.data += content
        elif isinstance(content, float):
            self.nodes.append(struct.pack("=BBHId", kind, 0, 0, 0, content))
        else:
            self.nodes.append(struct.pack("=BBHIq", kind, 0, 0, 0, content or 0))

    def read(self, decode: Any = None) -> Any:
        nodes = ctypes.create_string_buffer(b"".join(self.nodes))
        data = ctypes.create_string_buffer(self.data)
        view = _native.ReplyView(
            ctypes.sizeof(_native.ReplyView),
            1,
            ctypes.addressof(nodes),
            len(self.nodes),
            ctypes.addressof(data),
            len(self.data),
        )
        return _reply.read_reply(view, decode)


class TapeTest(unittest.TestCase):
    CASES = [
        ((_native.NODE_NULL, None), None),
        ((_native.NODE_INTEGER, -(2**63)), -(2**63)),
        ((_native.NODE_STRING, b""), b""),
        ((_native.NODE_STATUS, b"OK"), b"OK"),
        ((_native.NODE_VERBATIM, b"text"), b"text"),
        ((_native.NODE_DOUBLE, 2.5), 2.5),
        ((_native.NODE_DOUBLE, float("inf")), float("inf")),
        ((_native.NODE_BOOLEAN, 1), True),
        (
            (_native.NODE_BIG_NUMBER, b"-123456789012345678901234567890"),
            -123456789012345678901234567890,
        ),
        ((_native.NODE_ARRAY, []), []),
        ((_native.NODE_MAP, []), {}),
        ((_native.NODE_SET, [(_native.NODE_STRING, b"a")]), [b"a"]),
        (
            (_native.NODE_ARRAY, [(_native.NODE_STRING, b"a"), (_native.NODE_STRING, b"")]),
            [b"a", b""],
        ),
        # As many strings as children, yet not flat.
        (
            (
                _native.NODE_ARRAY,
                [(_native.NODE_STRING, b"a"), (_native.NODE_ARRAY, [(_native.NODE_STRING, b"b")])],
            ),
            [b"a", [b"b"]],
        ),
        (
            (
                _native.NODE_ARRAY,
                [
                    (_native.NODE_ARRAY, []),
                    (_native.NODE_ARRAY, [(_native.NODE_ARRAY, [])]),
                    (_native.NODE_NULL, None),
                ],
            ),
            [[], [[]], None],
        ),
        (
            (
                _native.NODE_MAP,
                [
                    (_native.NODE_STRING, b"k"),
                    (_native.NODE_ARRAY, [(_native.NODE_INTEGER, 1)]),
                    (_native.NODE_ARRAY, [(_native.NODE_STRING, b"x")]),
                    (_native.NODE_INTEGER, 2),
                ],
            ),
            {b"k": [1], (b"x",): 2},
        ),
    ]

    def test_every_type(self) -> None:
        for tape, wanted in self.CASES:
            with self.subTest(wanted=wanted):
                found = Tape(tape).read()
                self.assertEqual(found, wanted)
                self.assertIs(type(found), type(wanted))

    def test_decoding_reaches_every_text_and_nothing_else(self) -> None:
        tape = (_native.NODE_ARRAY, [(_native.NODE_STRING, b"\xc3\xa4"), (_native.NODE_INTEGER, 1)])
        self.assertEqual(Tape(tape).read(bytes.decode), ["ä", 1])
        with self.assertRaises(UnicodeDecodeError):
            Tape((_native.NODE_STRING, b"\xff")).read(bytes.decode)

    def test_deep_nesting_needs_no_stack(self) -> None:
        value: Any = (_native.NODE_INTEGER, 7)
        for _ in range(900):
            value = (_native.NODE_ARRAY, [value])
        found = Tape(value).read()
        for _ in range(900):
            found = found[0]
        self.assertEqual(found, 7)

    def test_long_strings_between_short_ones(self) -> None:
        strings = [b"x" * size for size in (0, 1, 100000, 3)]
        found = Tape((_native.NODE_ARRAY, [(_native.NODE_STRING, text) for text in strings])).read()
        self.assertEqual(found, strings)

    def test_errors_are_raised_at_the_root_and_values_inside(self) -> None:
        with self.assertRaises(exceptions.ResponseError):
            Tape((_native.NODE_ERROR, b"ERR no")).read()
        found = Tape(
            (_native.NODE_ARRAY, [(_native.NODE_ERROR, b"WRONGTYPE no"), (_native.NODE_INTEGER, 1)])
        ).read()
        self.assertIsInstance(found[0], exceptions.ResponseError)
        self.assertEqual((str(found[0]), found[1]), ("WRONGTYPE no", 1))

    def test_a_later_tape_or_node_is_refused(self) -> None:
        with self.assertRaises(exceptions.InvalidResponse):
            Tape((_native.NODE_ARRAY, [(99, 0), (_native.NODE_INTEGER, 1)])).read()
        nodes = ctypes.create_string_buffer(16)
        view = _native.ReplyView(40, 2, ctypes.addressof(nodes), 1, None, 0)
        with self.assertRaises(exceptions.InvalidResponse):
            _reply.read_reply(view, None)


class ArgumentTest(unittest.TestCase):
    def test_types(self) -> None:
        encoder = Encoder("utf-8", "strict", False)
        _, packed = encoder.pack(
            ["set", "ä", b"\x00\xff", bytearray(b"b"), memoryview(b"m"), 1, -2.5, 1.0]
        )
        wanted = [b"set", "ä".encode(), b"\x00\xff", b"b", b"m", b"1", b"-2.5", b"1.0"]
        self.assertEqual(packed, wanted)

    def test_what_has_no_bytes_is_refused(self) -> None:
        encoder = Encoder("utf-8", "strict", False)
        for value in (None, True, [1], {"a": 1}, object()):
            with self.subTest(value=value), self.assertRaises(exceptions.DataError) as caught:
                encoder.pack(["SET", value])
            self.assertIn(type(value).__name__, str(caught.exception))
            self.assertEqual(caught.exception.executed, "no")
        for args in ([], [""], [7]):
            with self.subTest(args=args), self.assertRaises(exceptions.DataError):
                encoder.pack(args)

    def test_names_of_two_words(self) -> None:
        self.assertEqual(command_name("config get").words, [b"config", b"get"])
        self.assertEqual(command_name(b"Get").capitals, "GET")
        self.assertTrue(command_name("blpop").blocking)


class ExceptionTest(unittest.TestCase):
    def test_statuses_are_those_of_the_spec(self) -> None:
        with open(os.path.join(ROOT, "spec/errors/errors.json"), encoding="utf-8") as file:
            wanted = {status["value"]: status["name"] for status in json.load(file)["statuses"]}
        found = {number: name for number, (name, _) in exceptions.STATUSES.items()}
        self.assertEqual(found, wanted)

    def test_tree_of_redis_py(self) -> None:
        tree = {
            exceptions.ConnectionError: exceptions.RedisError,
            exceptions.AuthenticationError: exceptions.ConnectionError,
            exceptions.BusyLoadingError: exceptions.ConnectionError,
            exceptions.MaxConnectionsError: exceptions.ConnectionError,
            exceptions.TLSConfigurationError: ValueError,
            exceptions.LockError: ValueError,
            exceptions.MasterDownError: exceptions.ClusterDownError,
            exceptions.ClusterDownError: exceptions.ResponseError,
            exceptions.MovedError: exceptions.AskError,
            exceptions.ClusterUnavailableError: exceptions.RedisClusterException,
            exceptions.CrossSlotError: exceptions.ClusterCrossSlotError,
        }
        for kind, base in tree.items():
            self.assertTrue(issubclass(kind, base), f"{kind} {base}")
        self.assertFalse(issubclass(exceptions.TimeoutError, exceptions.ConnectionError))
        self.assertFalse(issubclass(exceptions.RedisClusterException, exceptions.RedisError))
        for name in exceptions.__all__:
            self.assertIs(getattr(tendon, name), getattr(exceptions, name))

    def test_error_replies(self) -> None:
        cases = {
            "ERR unknown command": (exceptions.ResponseError, "unknown command", "ERR", "unknown"),
            "WRONGTYPE Operation": (
                exceptions.ResponseError,
                "WRONGTYPE Operation",
                "WRONGTYPE",
                "unknown",
            ),
            "NOAUTH Authentication required.": (
                exceptions.AuthenticationError,
                "Authentication required.",
                "NOAUTH",
                "no",
            ),
            "LOADING Redis": (exceptions.BusyLoadingError, "Redis", "LOADING", "no"),
            "READONLY You": (exceptions.ReadOnlyError, "You", "READONLY", "no"),
            "NOSCRIPT No": (exceptions.NoScriptError, "No", "NOSCRIPT", "no"),
            "ERR max number of clients reached": (
                exceptions.ConnectionError,
                "max number of clients reached",
                "ERR",
                "unknown",
            ),
            "MOVED garbage": (exceptions.ResponseError, "MOVED garbage", "MOVED", "no"),
        }
        for text, (kind, message, code, executed) in cases.items():
            error = _failures.from_reply(text)
            self.assertIs(type(error), kind)
            self.assertEqual(
                (str(error), error.status_code, error.executed), (message, code, executed)
            )
        moved: Any = _failures.from_reply("MOVED 3999 ::1:6381")
        self.assertEqual(
            (type(moved), moved.slot_id, moved.node_addr),
            (exceptions.MovedError, 3999, ("::1", 6381)),
        )
        self.assertEqual(repr(moved), "server:MovedError")


class ShapeTest(unittest.TestCase):
    """What becomes of replies in the core's form."""

    def test_usual_shapes(self) -> None:
        callbacks = Callbacks()
        scored = {"withscores": True}
        for name, reply, options, wanted in (
            ("ZRANGE", [[b"a", 1.0], [b"b", 2.5]], scored, [(b"a", 1.0), (b"b", 2.5)]),
            ("ZSCORE", 1.5, {}, 1.5),
            ("SMEMBERS", [b"b", b"a"], {}, {b"a", b"b"}),
            ("CONFIG GET", {b"maxmemory": b"0"}, {}, {"maxmemory": "0"}),
            ("ZPOPMIN", [[b"a", 1.0]], {}, [(b"a", 1.0)]),
            ("ZPOPMIN", [b"a", 1.0], {}, [(b"a", 1.0)]),
            ("XREAD", {b"s": [[b"1-0", [b"f", b"v"]]]}, {}, [[b"s", [(b"1-0", {b"f": b"v"})]]]),
            ("PING", "PONG", {}, True),
        ):
            self.assertEqual(callbacks[name](reply, **options), wanted, name)

    def test_info(self) -> None:
        text = (
            b"# Server\r\nredis_version:7.0.15\r\nuptime:5\r\nratio:1.5\r\n"
            b"db0:keys=1,expires=0\r\nredis_build_id:12e4\r\nlist:a,b\r\n"
        )
        found = Callbacks()["INFO"](text)
        self.assertEqual(
            found,
            {
                "redis_version": "7.0.15",
                "uptime": 5,
                "ratio": 1.5,
                "db0": {"keys": 1, "expires": 0},
                "redis_build_id": "12e4",
                "list": ["a", "b"],
            },
        )

    def test_categories_of_commands(self) -> None:
        reply = [[b"get", 2, [b"fast"], 1, 1, 1, [b"@read"], [], [], []]]
        for shapes, flags, categories in (
            ("legacy", ["fast"], ["@read"]),
            ("resp3", {"fast"}, [b"@read"]),
            ("unified", {"fast"}, {"@read"}),
        ):
            found = Callbacks(shapes)["COMMAND"](reply)["get"]
            self.assertEqual((found["flags"], found["acl_categories"]), (flags, categories))

    def test_consumers_of_a_stream_keep_the_names_of_their_facts(self) -> None:
        group = {b"name": b"g", b"consumers": [{b"name": b"c", b"seen-time": 1}]}
        found = Callbacks()["XINFO STREAM"]({b"entries": [], b"groups": [group]}, full=True)
        consumers = [{b"name": b"c", b"seen-time": 1}]
        self.assertEqual(found["groups"], [{"name": b"g", "consumers": consumers}])
