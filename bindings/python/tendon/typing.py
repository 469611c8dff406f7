"""The types of arguments, under redis-py's names (``redis.typing``)."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Awaitable, Callable, Dict, Iterable, Optional, Sequence
from typing import TypeVar, Union

if TYPE_CHECKING:
    from tendon.cluster import ClusterNode

Number = Union[int, float]
EncodedT = Union[bytes, bytearray, memoryview]
DecodedT = Union[str, int, float]
EncodableT = Union[EncodedT, DecodedT]
AbsExpiryT = Union[int, datetime.datetime]
ExpiryT = Union[int, datetime.timedelta]
ZScoreBoundT = Union[int, float, str, bytes]  # "(1.5" and "-inf", too
BitfieldOffsetT = Union[int, str]  # "#1", too
KeyT = Union[bytes, bytearray, memoryview, str]
KeysT = Union[KeyT, Iterable[KeyT]]
ChannelT = KeyT
PatternT = KeyT
FieldT = EncodableT
GroupT = KeyT
ConsumerT = KeyT
StreamIdT = Union[int, KeyT]
ScriptTextT = KeyT
TimeoutSecT = Union[int, float, str, bytes]
Text = Union[bytes, str]  # of a reply: str with decode_responses=True, else bytes
ResponseT = Union[Awaitable[Any], Any]
TargetNodesT = Union[str, "ClusterNode", Sequence["ClusterNode"], Dict[Any, "ClusterNode"]]
AnyKeyT = TypeVar("AnyKeyT", bytes, str, memoryview)
AnyFieldT = TypeVar("AnyFieldT", bytes, str, memoryview)
AnyChannelT = TypeVar("AnyChannelT", bytes, str, memoryview)
PubSubHandler = Callable[[Dict[str, Any]], Any]


@dataclass(frozen=True)
class Subscription:
    """A channel or pattern to subscribe, with what is called for each of its messages."""

    name: ChannelT
    handler: Optional[PubSubHandler] = None
