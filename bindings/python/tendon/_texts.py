"""Reads what servers answer as text for people, and the replies that mix text and structure."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple, Union

_INTEGERS = frozenset(
    (
        "id age idle db sub psub multi qbuf qbuf-free obl argv-mem oll omem tot-mem "  # of clients
        "refcount serializedlength lru lru_seconds_idle"  # of objects
    ).split()
)


def as_text(value: Any) -> Any:
    """bytes as str; everything else unchanged."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def str_if_bytes(value: Any) -> str:
    """bytes as text; anything else as str() has it."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def facts(reply: Any) -> Dict[str, Any]:
    """A dict with str keys."""
    return {as_text(name): value for name, value in reply.items()}


def text_facts(reply: Any) -> Dict[str, Any]:
    """A dict with str keys, and its values as texts."""
    return {name: as_text(value) for name, value in facts(reply).items()}


def _cast(text: str) -> Union[int, float, str]:
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def _info_value(text: str) -> Any:
    """A number, a text, a list for "1,2", or a dict for "a=1,b=2"."""
    if "," not in text and "=" not in text:
        return _cast(text)
    if "=" not in text:
        return [_cast(part) for part in text.split(",") if part]
    found: Dict[str, Any] = {}
    for part in text.split(","):
        name, equals, value = part.rpartition("=")
        if equals:
            found[name] = _info_value(value)
        elif part:
            found[part] = True
    return found


def info(reply: Any, **_: Any) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    for line in as_text(reply).splitlines():
        if not line or line.startswith("#"):
            continue
        name, colon, value = line.partition(":")
        if not colon:
            found.setdefault("__raw__", []).append(line)
        elif name == "module":
            found.setdefault("modules", []).append(_info_value(value))
        elif name in ("redis_version", "valkey_version"):  # a word, also where it looks like 7.2
            found[name] = value
        else:
            if name == "cmdstat_host":  # its name has a colon itself
                name, _, value = line.rpartition(":")
            found[name] = _info_value(value)
    return found


def client(line: str) -> Dict[str, str]:
    found: Dict[str, str] = {}
    last = ""
    for part in line.split(" "):
        name, equals, value = part.partition("=")
        if equals:
            found[name] = value
            last = name
        elif last:  # a value with a space in it, such as the path of a socket
            found[last] += " " + part
    return found


def client_info(reply: Any, **_: Any) -> Dict[str, Any]:
    found = client(as_text(reply).strip())
    return {name: int(text) if name in _INTEGERS else text for name, text in found.items()}


def debug_object(reply: Any, **_: Any) -> Dict[str, Any]:
    """ "Value at:0x7f refcount:1 ..." """
    parts = ("type:" + as_text(reply)).split()
    found = dict(part.partition(":")[::2] for part in parts if ":" in part)
    return {name: int(text) if name in _INTEGERS else text for name, text in found.items()}


def slowlog(reply: Any, **_: Any) -> List[Dict[str, Any]]:
    found = []
    for number, start, duration, command, *client in reply:
        space = " " if command and isinstance(command[0], str) else b" "
        entry = {"id": number, "start_time": int(start), "duration": int(duration)}
        entry["command"] = space.join(command)
        if len(client) >= 2:
            entry["client_address"], entry["client_name"] = client[:2]
        found.append(entry)
    return found


# Access control.


def _words(value: Any) -> List[str]:
    """A list of rules, which servers before 7 and 7 write differently."""
    given = as_text(value)
    found = given.split(" ") if isinstance(given, str) else [as_text(item) for item in given]
    return [word for word in found if word]


def acl_user_maps(reply: Any, **_: Any) -> Any:
    if reply is None:
        return None
    found = facts(reply)
    for name in ("flags", "passwords", "keys", "channels"):
        if name in found:
            found[name] = _words(found[name])
    if "selectors" in found:
        found["selectors"] = [*map(text_facts, found["selectors"])]
    rules = _words(found["commands"])
    found["categories"] = [rule for rule in rules if "@" in rule]
    found["commands"] = [rule for rule in rules if "@" not in rule]
    found["enabled"] = "on" in found["flags"]
    return found


def acl_user(reply: Any, **_: Any) -> Any:
    """As acl_user_maps, with selectors as flat lists."""
    found = acl_user_maps(reply)
    if found and "selectors" in found:
        found["selectors"] = [
            [part for pair in selector.items() for part in pair] for selector in found["selectors"]
        ]
    return found


def acl_log_raw(reply: Any, **_: Any) -> Any:
    if not isinstance(reply, list):
        return bool(as_text(reply) == "OK")
    return [*map(text_facts, reply)]


def acl_log(reply: Any, **_: Any) -> Any:
    found = acl_log_raw(reply)
    if isinstance(found, list):
        for entry in found:
            entry["client-info"] = client_info(entry.get("client-info", ""))
            entry["age-seconds"] = float(entry["age-seconds"])
    return found


# Commands.


def command(item: Any, kind: Any) -> Dict[str, Any]:
    found: Dict[str, Any] = {
        "name": as_text(item[0]),
        "arity": int(item[1]),
        "flags": kind(map(as_text, item[2])),
        "first_key_pos": item[3],
        "last_key_pos": item[4],
        "step_count": item[5],
    }
    if len(item) > 6:
        found["acl_categories"] = kind(map(as_text, item[6]))
    if len(item) > 7:
        found["tips"], found["key_specifications"], found["subcommands"] = item[7:10]
    return found


def commands_of_resp3(reply: Any, **_: Any) -> Dict[str, Dict[str, Any]]:
    """redis-py leaves the categories as they come where a server sends sets."""
    found = {as_text(item[0]): command(item, set) for item in reply}
    for item in reply:
        if len(item) > 6:
            found[as_text(item[0])]["acl_categories"] = [*item[6]]
    return found


# Cluster.


def cluster_info(reply: Any, **_: Any) -> Dict[str, str]:
    lines = as_text(reply).splitlines()
    return {name: value for name, _, value in (line.partition(":") for line in lines if line)}


def _ranges(words: List[str]) -> Tuple[List[List[str]], List[Dict[str, str]]]:
    slots, migrations = [], []
    for word in words:
        for arrow, state in (("->-", "migrating"), ("-<-", "importing")):
            if arrow in word:
                slot, _, node = word[1:-1].partition(arrow)
                migrations.append({"slot": slot, "node_id": node, "state": state})
                break
        else:
            slots.append(word.split("-"))
    return slots, migrations


def _node(line: str) -> Tuple[str, Dict[str, Any]]:
    number, address, flags, primary, ping_sent, pong, epoch, link, *ranges = line.split(" ")
    place, _, bus = address.partition("@")
    slots, migrations = _ranges(ranges)
    return place, {
        "node_id": number,
        "hostname": bus.split(",")[1] if "," in bus else "",
        "flags": flags,
        "master_id": primary,
        "last_ping_sent": ping_sent,
        "last_pong_rcvd": pong,
        "epoch": epoch,
        "slots": slots,
        "migrations": migrations,
        "connected": link == "connected",
    }


def cluster_nodes(reply: Any, **_: Any) -> Dict[str, Dict[str, Any]]:
    """CLUSTER NODES and CLUSTER REPLICAS: one text, or one for each node."""
    lines = as_text(reply).splitlines() if isinstance(reply, (str, bytes)) else reply
    return dict(_node(as_text(line)) for line in lines if line)


def _place(node: Any) -> Tuple[str, Any]:
    return as_text(node[0]) or "", node[1]


def cluster_slots(reply: Any, **_: Any) -> Dict[Tuple[int, int], Dict[str, Any]]:
    return {
        (first, last): {"primary": _place(primary), "replicas": [_place(one) for one in replicas]}
        for first, last, primary, *replicas in reply
    }


def cluster_shards(reply: Any, **_: Any) -> List[Dict[str, Any]]:
    found = []
    for shard in map(facts, reply):
        flat = iter(shard["slots"])
        found.append({"slots": [*zip(flat, flat)], "nodes": shard["nodes"]})
    return found
