"""What blocking and asyncio pipelines have in common: everything but the waiting."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any, Dict, List, Sequence, Set, Tuple

from tendon._batch import Command, Plan
from tendon._encoder import Encoder, command_name
from tendon._shapes import Callbacks

# fmt: off
from tendon.exceptions import (
    CrossSlotError, CrossSlotTransactionError, DataError, ExecAbortError, RedisError,
    ResponseError, WatchError,
)
# fmt: on

if TYPE_CHECKING:
    from tendon.commands.queued import QueuedCommands
else:
    from tendon.commands import CoreCommands as QueuedCommands

_WATCH = ("WATCH", "watch")
_TEXT_MAX = 100  # characters of a command quoted in an error, as in redis-py
Queued = Tuple[Tuple[Any, ...], Dict[str, Any]]


class BasePipeline(QueuedCommands):
    """The queued commands, and what becomes of their outcomes."""

    _encoder: Encoder
    response_callbacks: Callbacks

    def __init__(self, client: Any, transaction: bool = True) -> None:
        self._client = client
        self._core, self._encoder = client._core, client._encoder
        self.response_callbacks = client.response_callbacks
        self.transaction = transaction
        self._lease: Any = None
        self._clear()

    def _clear(self) -> None:
        self.command_stack: List[Queued] = []
        self.scripts: Set[Any] = set()  # whose texts the server may not have yet
        self.watching = False
        self.explicit_transaction = False
        self._some_stay_bytes = False

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Queues the command; while watching and before multi() runs it and returns its result."""
        if not args:
            raise DataError("no command given; pass its name and arguments")
        if (self.watching or args[0] in _WATCH) and not self.explicit_transaction:
            first = args[0].upper() if isinstance(args[0], str) else ""
            return self._run_now(first, args, options)
        if options and "NEVER_DECODE" in options:
            self._some_stay_bytes = True
        self.command_stack.append((args, options))
        return self

    def _run_now(self, first: str, args: Sequence[Any], options: Dict[str, Any]) -> Any:
        """Runs a command on the connection that watches, or will."""
        raise NotImplementedError

    def _watch_lost(self, error: RedisError) -> RedisError:
        """What to raise when the connection broke: a watch is lost with it."""
        if not self.watching:
            return error
        lost = WatchError(
            f"A {type(error).__name__} occurred while watching one or more keys: {error}"
        )
        lost.executed, lost.node, lost.status_code = error.executed, error.node, error.status_code
        return lost

    def multi(self) -> None:
        """Ends the immediate mode of watch(): from now on commands are queued."""
        if self.explicit_transaction:
            raise RedisError("Cannot issue nested calls to MULTI; call execute() or reset() first")
        if self.command_stack:
            raise RedisError(
                "Commands without an initial WATCH have already been issued; call multi() first"
            )
        self.explicit_transaction = True

    def _plan(self, stack: List[Queued]) -> Plan:
        commands: List[Command] = [args for args, _ in stack]
        atomic = self.transaction or self.explicit_transaction
        if atomic:
            commands = [[b"MULTI"], *commands, [b"EXEC"]]
        return Plan(commands, None if self._some_stay_bytes else self._encoder.decoder, atomic)

    def _results(
        self, stack: List[Queued], plan: Plan, values: List[Any], raise_on_error: bool
    ) -> List[Any]:
        """The results of the queued commands, from the core's values for the plan."""
        if plan.decode is None and self._encoder.decoder is not None:
            self._decode_others(stack, plan, values)
        if plan.atomic:
            values = self._executed(stack, values)
        elif all(map(_unanswered, values)):
            _annotate_refused(values[0], stack)
            raise values[0]  # no server answered anything
        callbacks = self.response_callbacks
        for index, value in enumerate(values):
            args, options = stack[index]
            if isinstance(value, Exception):
                if "EMPTY_RESPONSE" in options and isinstance(value, ResponseError):
                    values[index] = options["EMPTY_RESPONSE"]
                elif raise_on_error:
                    _annotate(value, index, args)
                    raise value
            elif options:
                values[index] = self._shape(args, options, value)
            else:
                callback = callbacks.get(command_name(args[0]).capitals)
                if callback is not None:
                    values[index] = callback(value)
        return values

    def _executed(self, stack: List[Queued], values: List[Any]) -> List[Any]:
        """What EXEC answered, with refused commands in their places."""
        for value in values:
            if isinstance(value, CrossSlotError):
                raise CrossSlotTransactionError(
                    f"All keys involved in a cluster transaction must map to the same slot: {value}"
                ) from value
            if _unanswered(value):
                _annotate_refused(value, stack)
                raise self._watch_lost(value) if isinstance(value, RedisError) else value
        refused: Dict[int, Any] = {
            index: value for index, value in enumerate(values[1:-1]) if isinstance(value, Exception)
        }
        results = values[-1]
        if isinstance(results, Exception):
            if isinstance(results, ExecAbortError) and refused:
                index, results = next(iter(refused.items()))
                _annotate(results, index, stack[index][0])
                results.executed = "no"  # EXEC discarded everything
            raise results
        self.watching = False  # EXEC ended it, whatever it answered
        if results is None:
            raise WatchError("Watched variable changed.")
        for index, error in refused.items():
            results.insert(index, error)
        if len(results) != len(stack):
            raise ResponseError("Wrong number of response items from pipeline execution")
        return list(results)

    def _decode_others(self, stack: List[Queued], plan: Plan, values: List[Any]) -> None:
        """Some commands want bytes, so that nothing was decoded: decodes what the others got."""
        answers = values[-1] if plan.atomic else values
        if not isinstance(answers, list):
            return
        for index, (_, options) in enumerate(stack[: len(answers)]):
            if not options.get("NEVER_DECODE"):
                answers[index] = self._encoder.decode_deep(answers[index])

    def _shape(self, args: Sequence[Any], options: Dict[str, Any], value: Any) -> Any:
        callback = self.response_callbacks.get(command_name(args[0]).capitals)
        if callback is None:
            return value
        shaping = {k: v for k, v in options.items() if k not in ("NEVER_DECODE", "EMPTY_RESPONSE")}
        return callback(value, **shaping)

    def __len__(self) -> int:
        return len(self.command_stack)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({len(self)} commands for {self._client!r})>"


def _unanswered(value: Any) -> bool:
    return isinstance(value, Exception) and not isinstance(value, ResponseError)


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
