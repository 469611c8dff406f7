"""
Which nodes of a cluster redis-py asks for commands without keys, and how their results become one.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List

# fmt: off
ALL_PRIMARIES = frozenset((
    "FLUSHALL", "FLUSHDB", "FUNCTION DELETE", "FUNCTION FLUSH", "FUNCTION LIST", "FUNCTION LOAD",
    "FUNCTION RESTORE", "SCAN", "SCRIPT EXISTS", "SCRIPT FLUSH", "SCRIPT LOAD",
))
DEFAULT_NODE = frozenset((
    "ACL CAT", "ACL DELUSER", "ACL DRYRUN", "ACL GENPASS", "ACL GETUSER", "ACL HELP", "ACL LIST",
    "ACL LOAD", "ACL LOG", "ACL SAVE", "ACL SETUSER", "ACL USERS", "ACL WHOAMI", "BGREWRITEAOF",
    "BGSAVE", "CLIENT GETNAME", "CLIENT GETREDIR", "CLIENT ID", "CLIENT INFO", "CLIENT KILL",
    "CLIENT LIST", "CLIENT PAUSE", "CLIENT TRACKINGINFO", "CLIENT UNBLOCK", "CLIENT UNPAUSE",
    "CLUSTER COUNT-FAILURE-REPORTS", "CLUSTER INFO", "CLUSTER KEYSLOT", "CLUSTER MEET",
    "CLUSTER MYSHARDID", "CLUSTER NODES", "CLUSTER REPLICAS", "CLUSTER RESET",
    "CLUSTER SAVECONFIG", "CLUSTER SET-CONFIG-EPOCH", "CLUSTER SHARDS", "CLUSTER SLOTS",
    "COMMAND", "COMMAND COUNT", "COMMAND GETKEYS", "COMMAND LIST", "CONFIG GET",
    "CONFIG RESETSTAT", "CONFIG REWRITE", "CONFIG SET", "DBSIZE", "INFO", "KEYS", "LASTSAVE",
    "LATENCY HISTORY", "LATENCY LATEST", "LATENCY RESET", "MEMORY MALLOC-STATS", "MEMORY PURGE",
    "MEMORY STATS", "MODULE LIST", "MODULE LOAD", "MODULE LOADEX", "MODULE UNLOAD",
    "PUBSUB CHANNELS", "PUBSUB NUMPAT", "PUBSUB NUMSUB", "PUBSUB SHARDCHANNELS",
    "PUBSUB SHARDNUMSUB", "RANDOMKEY", "ROLE", "SAVE", "SHUTDOWN", "SLOWLOG GET", "SLOWLOG LEN",
    "SLOWLOG RESET", "TIME", "WAIT", "WAITAOF",
))
# fmt: on
SPLIT = frozenset(("DEL", "EXISTS", "TOUCH", "UNLINK"))
# One node's result comes alone for all commands but these.
ALWAYS_BY_NODE = frozenset(("FLUSHALL", "FLUSHDB"))


def _union(results: List[List[Any]]) -> List[Any]:
    return list(dict.fromkeys(item for found in results for item in found))


def _subscribers(results: List[List[Any]]) -> List[Any]:
    total: Dict[Any, int] = {}
    for channel, count in (pair for found in results for pair in found):
        total[channel] = total.get(channel, 0) + count
    return list(total.items())


def _first(results: List[Any]) -> Any:
    return results[0]


MERGE: Dict[str, Callable[[List[Any]], Any]] = {
    **dict.fromkeys(("DBSIZE", "PUBSUB NUMPAT", "WAIT"), sum),
    **dict.fromkeys(
        "BGSAVE,CLIENT PAUSE,CLIENT SETNAME,CLIENT UNPAUSE,CONFIG RESETSTAT,CONFIG REWRITE,"
        "CONFIG SET,MEMORY PURGE,PING,SAVE,SCRIPT FLUSH,SLOWLOG RESET".split(","),
        all,
    ),
    **dict.fromkeys(("KEYS", "PUBSUB CHANNELS", "PUBSUB SHARDCHANNELS"), _union),
    **dict.fromkeys(("PUBSUB NUMSUB", "PUBSUB SHARDNUMSUB"), _subscribers),
    "CLIENT UNBLOCK": lambda results: int(any(results)),
    "SCRIPT EXISTS": lambda results: [all(found) for found in zip(*results)],
    "SCRIPT LOAD": _first,
}
