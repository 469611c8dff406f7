"""Pipelines and transactions: commands queued in Python and handed to the core together."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Tuple

from tendon._core import Lease
from tendon.commands import Commands
from tendon.exceptions import (
    ConnectionError,
    CrossSlotError,
    CrossSlotTransactionError,
    ExecAbortError,
    RedisError,
    ResponseError,
    TimeoutError,
    WatchError,
    _Outcome,
)

if TYPE_CHECKING:
    from tendon.client import Client

_TEXT_MAX = 100  # characters of a command quoted in an error, as in redis-py
Queued = Tuple[Tuple[Any, ...], Dict[str, Any]]


class Pipeline(Commands):
    """
    Every method queues its command and returns the pipeline; ``execute()`` sends all and
    returns the results in order. After ``watch()`` commands run at once until ``multi()``. One
    thread at a time.
    """

    def __init__(self, client: "Client", transaction: bool = True) -> None:
        self._client = client
        self._core, self._encoder = client._core, client._encoder
        self.response_callbacks = client.response_callbacks
        self.transaction = transaction
        self._lease: Optional[Lease] = None
        self._clear()

    def _clear(self) -> None:
        self.command_stack: List[Queued] = []
        self.watching = False
        self.explicit_transaction = False

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Queues the command; while watching and before multi() runs it and returns its result."""
        first = args[0].upper() if args and isinstance(args[0], str) else ""
        if (self.watching or first == "WATCH") and not self.explicit_transaction:
            return self._run_now(first, args, options)
        self.command_stack.append((args, options))
        return self

    def _run_now(self, first: str, args: Sequence[Any], options: Dict[str, Any]) -> Any:
        name, argv = self._encoder.pack(args)
        if self._lease is None:
            self._lease = self._core.lease(argv[1] if first == "WATCH" and len(argv) > 1 else None)
        try:
            value = self._lease.call(argv, self._encoder.decoder, name.blocking)
        except (ConnectionError, TimeoutError) as error:
            raise self._watch_lost(error) from error
        if first in ("WATCH", "UNWATCH"):
            self.watching = first == "WATCH"
        return self._shape(args, options, value)

    def _watch_lost(self, error: RedisError) -> RedisError:
        """What to raise when the connection broke: a watch is lost with it."""
        if not self.watching:
            return error
        lost = WatchError(
            f"A {type(error).__name__} occurred while watching one or more keys: {error}"
        )
        lost.executed, lost.node, lost.status_code = error.executed, error.node, error.status_code
        return lost

    def watch(self, *names: Any) -> bool:
        """
        Watches keys: execute() fails with WatchError if one changes. Commands run at once
        until multi().
        """
        if self.explicit_transaction:
            raise RedisError("Cannot issue a WATCH after a MULTI; call watch() first")
        return bool(self.execute_command("WATCH", *names))

    def unwatch(self) -> bool:
        """Forgets the watched keys; commands are queued again."""
        return bool(self.execute_command("UNWATCH")) if self.watching else True

    def multi(self) -> None:
        """Ends the immediate mode of watch(): from now on commands are queued."""
        if self.explicit_transaction:
            raise RedisError("Cannot issue nested calls to MULTI; call execute() or reset() first")
        if self.command_stack:
            raise RedisError(
                "Commands without an initial WATCH have already been issued; call multi() first"
            )
        self.explicit_transaction = True

    def execute(self, raise_on_error: bool = True) -> List[Any]:
        """
        Sends what is queued and returns the results in order. The first error is raised
        once everything is read, or stays in its place with ``raise_on_error=False``. The
        pipeline is empty afterwards.
        """
        stack = self.command_stack
        if not stack and not self.watching:
            return []
        try:
            if self.transaction or self.explicit_transaction:
                return self._execute_transaction(stack, raise_on_error)
            return self._execute_batch(stack, raise_on_error)
        finally:
            self.reset()

    def _execute_batch(self, stack: List[Queued], raise_on_error: bool) -> List[Any]:
        values = self._deliver(
            [self._encoder.pack(args)[1] for args, _ in stack], stack, atomic=False
        )
        if all(
            isinstance(value, Exception) and not isinstance(value, ResponseError)
            for value in values
        ):
            _annotate_refused(values[0], stack)
            raise values[0]  # no server answered anything
        results = [self._shape_or_error(*queued, value) for queued, value in zip(stack, values)]
        return self._checked(stack, results, raise_on_error)

    def _execute_transaction(self, stack: List[Queued], raise_on_error: bool) -> List[Any]:
        packed = [self._encoder.pack(args)[1] for args, _ in stack]
        values = self._deliver([[b"MULTI"], *packed, [b"EXEC"]], stack, atomic=True)
        for value in values:
            if isinstance(value, CrossSlotError):
                raise CrossSlotTransactionError(
                    f"All keys involved in a cluster transaction must map to the same slot: {value}"
                ) from value
            if isinstance(value, Exception) and not isinstance(value, ResponseError):
                _annotate_refused(value, stack)
                raise self._watch_lost(value) if isinstance(value, RedisError) else value
        refused = {
            index: value for index, value in enumerate(values[1:-1]) if isinstance(value, Exception)
        }
        results = values[-1]
        if isinstance(results, Exception):
            if isinstance(results, ExecAbortError) and refused:
                index, results = next(iter(refused.items()))
                _annotate(results, index, stack[index][0])
            raise results
        self.watching = False  # EXEC ended it, whatever it answered
        if results is None:
            raise WatchError("Watched variable changed.")
        for index, error in refused.items():
            results.insert(index, error)
        if len(results) != len(stack):
            raise ResponseError("Wrong number of response items from pipeline execution")
        shaped = [self._shape_or_error(*queued, value) for queued, value in zip(stack, results)]
        return self._checked(stack, shaped, raise_on_error)

    def _deliver(
        self, commands: Sequence[Sequence[bytes]], stack: List[Queued], atomic: bool
    ) -> List[Any]:
        """Sends the commands, on the watching connection if there is one."""
        raw = self._encoder.decoder is not None and any(
            "NEVER_DECODE" in options for _, options in stack
        )
        decode = None if raw else self._encoder.decoder
        if self._lease is not None:
            values = self._lease.batch(commands, decode, atomic)
        else:
            values = self._core.batch(commands, decode, atomic)
        if not raw:
            return values
        kept = [options.get("NEVER_DECODE", False) for _, options in stack]
        if not atomic:
            return self._decoded(kept, values)
        if isinstance(values[-1], list):
            values[-1] = self._decoded(kept, values[-1])
        return values

    def _decoded(self, kept: Sequence[bool], values: Sequence[Any]) -> List[Any]:
        return [v if keep else self._encoder.decode_deep(v) for keep, v in zip(kept, values)]

    def _shape(self, args: Sequence[Any], options: Dict[str, Any], value: Any) -> Any:
        callback = self.response_callbacks.get(self._encoder.pack(args[:1])[0].capitals)
        shaping = {k: v for k, v in options.items() if k not in ("NEVER_DECODE", "EMPTY_RESPONSE")}
        return value if callback is None else callback(value, **shaping)

    def _shape_or_error(self, args: Sequence[Any], options: Dict[str, Any], value: Any) -> Any:
        if isinstance(value, ResponseError) and "EMPTY_RESPONSE" in options:
            return options["EMPTY_RESPONSE"]
        return value if isinstance(value, Exception) else self._shape(args, options, value)

    @staticmethod
    def _checked(stack: List[Queued], results: List[Any], raise_on_error: bool) -> List[Any]:
        if raise_on_error:
            for index, result in enumerate(results):
                if isinstance(result, Exception):
                    _annotate(result, index, stack[index][0])
                    raise result
        return results

    def reset(self) -> None:
        """Forgets what is queued and gives the watching connection back."""
        lease, self._lease = self._lease, None
        watching = self.watching
        self._clear()
        if lease is not None:
            try:
                if watching:  # a clean connection can be lent again at once
                    lease.call([b"UNWATCH"], None)
            except _Outcome:
                pass  # the core closes it
            finally:
                lease.close()

    close = discard = reset

    def __enter__(self) -> "Pipeline":
        return self

    def __exit__(self, *_: Any) -> None:
        self.reset()

    def __len__(self) -> int:
        return len(self.command_stack)

    def __bool__(self) -> bool:
        return True

    def __setitem__(self, name: Any, value: Any) -> None:
        self.set(name, value)

    def __delitem__(self, name: Any) -> None:
        self.delete(name)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({len(self)} commands for {self._client!r})>"


def _annotate_refused(error: Exception, stack: List[Queued]) -> None:
    """
    One command that may not be sent keeps all others back, and the core's text begins with its
    name: this finds its number.
    """
    if getattr(error, "status_code", None) not in ("STATE", "UNSUPPORTED"):
        return
    refused = str(error).partition(" ")[0].upper()
    for index, (args, _) in enumerate(stack):
        name = args[0].decode("utf-8", "replace") if isinstance(args[0], bytes) else str(args[0])
        if name.upper().partition(" ")[0] == refused:
            _annotate(error, index, args)
            return


def _annotate(error: Exception, index: int, args: Sequence[Any]) -> None:
    """Says in the error's text which command of the pipeline it belongs to."""
    words = (arg.decode("utf-8", "replace") if isinstance(arg, bytes) else str(arg) for arg in args)
    command = textwrap.shorten(" ".join(words), _TEXT_MAX, placeholder="...")
    error.args = (
        f"Command # {index + 1} ({command}) of pipeline caused error: {error}",
        *error.args[1:],
    )
