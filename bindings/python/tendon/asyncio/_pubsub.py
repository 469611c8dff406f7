"""Subscriptions, for asyncio. tendon/_pubsub.py is generated from this file."""

from __future__ import annotations

import inspect  # asyncio
import logging
from typing import Any, AsyncIterator, Callable, Dict, Iterable, Optional, Sequence, Set
from typing import TypeVar, Union

from tendon._events import Gap
from tendon._texts import as_text
from tendon.asyncio._stream import Stream, open_stream
from tendon.commands._arguments import list_of
from tendon.exceptions import AuthenticationError, ConfigurationError, DataError, PubSubError
from tendon.exceptions import ResponseError
from tendon.typing import ChannelT, PubSubHandler, Subscription

_log = logging.getLogger("tendon.pubsub")
P = TypeVar("P", bound="BasePubSub")
Message = Dict[str, Any]


class Kind:
    """Channels, patterns, or sharded channels: the names subscribed, each with its handler."""

    def __init__(self, prefix: str) -> None:
        self.subscribe = f"{prefix}SUBSCRIBE".encode()
        self.unsubscribe = f"{prefix}UNSUBSCRIBE".encode()
        self.names: Dict[Any, Optional[PubSubHandler]] = {}
        self.leaving: Set[Any] = set()


class BasePubSub:
    """
    Subscriptions on a connection of their own, and the messages that come.

    Messages are dicts of type ("message", "pmessage", "smessage", "subscribe", ..., "pong"),
    pattern, channel and data. One whose name has a handler goes to that instead. After a lost
    connection everything is subscribed again by itself; ``gaps`` counts how often, and ``on_gap``
    is called with the seconds that it took: what was published in between is lost.
    """

    PUBLISH_MESSAGE_TYPES = ("message", "pmessage", "smessage")
    UNSUBSCRIBE_MESSAGE_TYPES = ("unsubscribe", "punsubscribe", "sunsubscribe")

    def __init__(
        self,
        connection_pool: Any,
        shard_hint: Any = None,
        ignore_subscribe_messages: bool = False,
        encoder: Any = None,
        push_handler_func: Any = None,
        event_dispatcher: Any = None,
        on_gap: Optional[Callable[[float], Any]] = None,
    ) -> None:
        if push_handler_func is not None:
            raise ConfigurationError("push_handler_func is not supported by tendon; leave it out")
        self.connection_pool = connection_pool
        self.shard_hint = shard_hint
        self.ignore_subscribe_messages = ignore_subscribe_messages
        self.on_gap = on_gap
        self.encoder = encoder or connection_pool.get_encoder()
        self.gaps = 0
        self._node: Optional[bytes] = None
        self._stream: Optional[Stream] = None
        self._forget()

    def _forget(self) -> None:
        self._kinds = {"": Kind(""), "p": Kind("P"), "s": Kind("S")}
        self._active = False

    @property
    def channels(self) -> Dict[Any, Optional[PubSubHandler]]:
        return self._kinds[""].names

    @property
    def patterns(self) -> Dict[Any, Optional[PubSubHandler]]:
        return self._kinds["p"].names

    @property
    def shard_channels(self) -> Dict[Any, Optional[PubSubHandler]]:
        return self._kinds["s"].names

    @property
    def subscribed(self) -> bool:
        """Whether anything is subscribed, as far as the messages handed out tell."""
        return self._active

    @property
    def connection(self) -> Any:
        return self._stream

    def _names(self, given: Any) -> Dict[Any, Optional[PubSubHandler]]:
        """Names as messages will have them."""
        encode, decode = self.encoder.encode, self.encoder.decode
        return {decode(encode(name)): handler for name, handler in given.items()}

    async def _connected(self) -> Stream:
        """The connection; after the client was closed another, with everything subscribed again."""
        stream = self._stream
        if stream is None or not stream.usable:
            if stream is not None:
                stream.close()
            stream = await open_stream(self.connection_pool._core, self._node)
            self._stream = stream
            again = False
            for kind in self._kinds.values():
                if kind.names:
                    again = True
                    stream.send([kind.subscribe, *map(self.encoder.encode, kind.names)])
            if again:
                stream.put(Gap(0))
        return stream

    async def execute_command(self, *args: Any) -> Any:
        """One of the commands of a subscription; the others belong to a client."""
        stream = await self._connected()
        return await stream.request(self.encoder.pack(args)[1])

    async def _subscribe(self, which: str, args: Any, kwargs: Any) -> None:
        given: Dict[Any, Optional[PubSubHandler]] = {}
        for item in all_of(args):
            if isinstance(item, Subscription):
                given[item.name] = item.handler
            else:
                given[item] = None
        names = self._names({**given, **kwargs})
        if not names:
            raise DataError("nothing to subscribe; pass names, or name=handler")
        kind = self._kinds[which]
        stream = await self._connected()
        if await self._add(kind, names, stream, again=True):
            return
        await self._add(kind, names, await self._connected(), again=False)

    async def _add(self, kind: Kind, names: Any, stream: Stream, again: bool) -> bool:
        """Subscribes; False when it is to be tried once more, with other credentials."""
        new = names.keys() - kind.names.keys()
        before, active = dict(kind.names), self._active
        kind.names.update(names)
        kind.leaving -= names.keys()
        self._active = True
        argv = [kind.subscribe, *map(self.encoder.encode, names)]
        try:
            await stream.request(argv)
        except BaseException as error:
            kind.names, self._active = before, active
            if new and stream.usable and not isinstance(error, ResponseError):
                stream.send([kind.unsubscribe, *map(self.encoder.encode, new)])
            if again and isinstance(error, AuthenticationError) and not stream.usable:
                return False
            raise
        return True

    async def _unsubscribe(self, which: str, args: Any) -> None:
        kind = self._kinds[which]
        given = all_of(args)
        names = self._names(dict.fromkeys(given)) if args else kind.names
        kind.leaving |= names.keys()
        stream = await self._connected()
        await stream.request([kind.unsubscribe, *map(self.encoder.encode, given)])

    async def subscribe(
        self, *args: Union[ChannelT, Subscription], **kwargs: PubSubHandler
    ) -> None:
        """
        Subscribes channels; ``name=handler`` and Subscription(name, handler) with a handler.
        Returns when the server has confirmed it; raises what it refuses, or why it is not reached.
        """
        await self._subscribe("", args, kwargs)

    async def psubscribe(
        self, *args: Union[ChannelT, Subscription], **kwargs: PubSubHandler
    ) -> None:
        """Subscribes patterns, as subscribe() does channels."""
        await self._subscribe("p", args, kwargs)

    async def ssubscribe(
        self, *args: Union[ChannelT, Subscription], **kwargs: PubSubHandler
    ) -> None:
        """Subscribes sharded channels, in a cluster of any slots."""
        await self._subscribe("s", args, kwargs)

    async def unsubscribe(self, *args: ChannelT) -> None:
        """Gives up channels, all without names."""
        await self._unsubscribe("", args)

    async def punsubscribe(self, *args: ChannelT) -> None:
        """Gives up patterns, all without names."""
        await self._unsubscribe("p", args)

    async def sunsubscribe(self, *args: ChannelT, target_node: Any = None) -> None:
        """Gives up sharded channels, all without names."""
        await self._unsubscribe("s", args)

    async def ping(self, message: Optional[ChannelT] = None) -> bool:
        """Asks the server on the subscriptions' connection; a "pong" message comes, too."""
        data = self.encoder.encode("" if message is None else message)
        stream = await self._connected()
        await stream.request([b"PING", data])
        stream.put([b"pong", data])
        return True

    async def check_health(self) -> None:
        """Does nothing: the core looks after its connections."""

    async def parse_response(self, block: bool = True, timeout: float = 0) -> Any:
        """What arrived next, as the server sent it; get_message() makes a message of it."""
        if self._stream is None:
            raise RuntimeError(
                "pubsub connection not set: did you forget to call subscribe() or psubscribe()?"
            )
        while True:
            stream: Any = self._stream
            if stream is None or not stream.usable:
                stream = await self._connected()
            found = await stream.next(None if block else timeout)
            if isinstance(found, Gap):
                await self._tell(found)
            elif found is not None or (not block and stream.usable):
                return found

    async def _tell(self, gap: Gap) -> None:
        self.gaps += 1
        _log.warning("subscribed again; messages of about %.3f s may be missing", gap.seconds)
        if self.on_gap is not None:
            await self._handled(self.on_gap, gap.seconds)

    async def _handled(self, handler: Callable[..., Any], given: Any) -> None:
        done = handler(given)  # asyncio
        #: handler(given)
        if inspect.isawaitable(done):  # asyncio
            await done

    async def handle_message(
        self, response: Any, ignore_subscribe_messages: bool = False
    ) -> Optional[Message]:
        """The message that a response is; None when a handler got it, or it is to be ignored."""
        kind = as_text(response[0])
        if kind == "message":  # the commonest by far
            _, channel, data = response
            if self._kinds[""].names.get(channel) is None:
                return {"type": "message", "pattern": None, "channel": channel, "data": data}
        message: Message = {"type": kind, "pattern": None, "channel": None, "data": response[-1]}
        if kind == "pong":
            message["data"] = self.encoder.decode(response[1])
            return message
        if kind == "pmessage":
            message["pattern"] = response[1]
        message["channel"] = response[-2]
        known = self._kinds[kind[0] if kind[0] in "ps" and kind != "subscribe" else ""]
        if kind in self.PUBLISH_MESSAGE_TYPES:
            handler = known.names.get(response[1])
            if handler is None:
                return message
            await self._handled(handler, message)
            return None
        if kind in self.UNSUBSCRIBE_MESSAGE_TYPES:
            self._left(known, response[1])
        return None if ignore_subscribe_messages or self.ignore_subscribe_messages else message

    def _left(self, known: Kind, name: Any) -> None:
        if name in known.leaving:
            known.leaving.discard(name)
            known.names.pop(name, None)
        if not any(kind.names for kind in self._kinds.values()):
            self._active = False

    async def get_message(
        self, ignore_subscribe_messages: bool = False, timeout: Optional[float] = 0.0
    ) -> Optional[Message]:
        """
        The next message, waiting up to ``timeout`` seconds for it (None: for ever), else None.
        """
        response = await self.parse_response(timeout is None, timeout or 0.0)
        if response is None:
            return None
        return await self.handle_message(response, ignore_subscribe_messages)

    async def get_sharded_message(
        self,
        ignore_subscribe_messages: bool = False,
        timeout: Optional[float] = 0.0,
        target_node: Any = None,
    ) -> Optional[Message]:
        """As get_message(): messages of all kinds and nodes come in one order."""
        return await self.get_message(ignore_subscribe_messages, timeout)

    async def listen(self) -> AsyncIterator[Message]:
        """All messages, until nothing is subscribed any more."""
        while self.subscribed:
            response = await self.parse_response(block=True)
            message = await self.handle_message(response)
            if message is not None:
                yield message

    def _check_handlers(self) -> None:
        """PubSubError unless every name has a handler: nobody else would get its messages."""
        for what, kind in zip(("Channel", "Pattern", "Shard Channel"), self._kinds.values()):
            for name, handler in kind.names.items():
                if handler is None:
                    raise PubSubError(f"{what}: '{name}' has no handler registered")

    async def aclose(self) -> None:
        """Closes the connection and forgets what was subscribed; it may be used again."""
        self._end()

    reset = aclose
    close = aclose  # asyncio

    async def __aenter__(self: P) -> P:
        return self

    async def __aexit__(self, *_: Any) -> None:
        self._end()

    def _end(self) -> None:
        stream, self._stream = self._stream, None
        self._forget()
        if stream is not None:
            stream.close()

    def __del__(self) -> None:
        if getattr(self, "_stream", None) is not None:
            self._end()


class BaseClusterPubSub(BasePubSub):
    """Where subscriptions of cluster clients go."""

    def __init__(
        self,
        redis_cluster: Any,
        node: Any = None,
        host: Optional[str] = None,
        port: Optional[int] = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(redis_cluster, **kwargs)
        self.cluster = redis_cluster
        self.set_pubsub_node(redis_cluster, node, host, port)

    def set_pubsub_node(
        self, cluster: Any, node: Any = None, host: Optional[str] = None, port: Optional[int] = None
    ) -> None:
        """
        Where channels and patterns go from the next connection on; RedisClusterException for an
        unknown node.
        """
        self.node = cluster.pubsub_node(node, host, port)
        self._node = None if self.node is None else self.node.name.encode()

    def get_pubsub_node(self) -> Any:
        """The node that was asked for, else that of the first channel; None before any."""
        if self.node is None and self.channels:
            return self.cluster.get_node_from_key(next(iter(self.channels)))
        return self.node


def all_of(args: Sequence[Any]) -> Sequence[Any]:
    """The names; the first argument may be a list of them."""
    if not args or isinstance(args[0], Subscription) or not isinstance(args[0], Iterable):
        return args
    return list_of(args[0], args[1:])
