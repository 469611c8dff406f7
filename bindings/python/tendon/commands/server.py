"""Commands on the server, connections and scripts; to be generated from spec/commands."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Tuple

from tendon.commands._arguments import KeyT, EncodableT, Text, Base


class ServerCommands(Base):
    """Server, connection and scripts. In a cluster ``target_nodes`` says which nodes are asked."""

    def client_getname(self, **kwargs: Any) -> Optional[str]:
        return self.execute_command("CLIENT GETNAME", **kwargs)

    def client_id(self, **kwargs: Any) -> int:
        """The server's number of the connection that was used."""
        return self.execute_command("CLIENT ID", **kwargs)

    def client_list(self, **kwargs: Any) -> List[Dict[str, str]]:
        """One dict of text for each connection of the server."""
        return self.execute_command("CLIENT LIST", **kwargs)

    def config_get(self, pattern: KeyT = "*", *args: KeyT, **kwargs: Any) -> Dict[str, str]:
        """Settings whose names match, as str."""
        return self.execute_command("CONFIG GET", pattern, *args, **kwargs)

    def config_set(self, name: KeyT, value: EncodableT, *args: EncodableT, **kwargs: Any) -> bool:
        return self.execute_command("CONFIG SET", name, value, *args, **kwargs)

    def dbsize(self, **kwargs: Any) -> int:
        """The number of keys; in a cluster of the default node alone, as in redis-py."""
        return self.execute_command("DBSIZE", **kwargs)

    def echo(self, value: EncodableT, **kwargs: Any) -> Text:
        return self.execute_command("ECHO", value, **kwargs)

    def eval(self, script: str, numkeys: int, *keys_and_args: EncodableT) -> Any:
        """Runs a Lua script; its result unchanged."""
        return self.execute_command("EVAL", script, numkeys, *keys_and_args)

    def evalsha(self, sha: str, numkeys: int, *keys_and_args: EncodableT) -> Any:
        """Runs a loaded script; NoScriptError when the server does not have it."""
        return self.execute_command("EVALSHA", sha, numkeys, *keys_and_args)

    def flushall(self, asynchronous: bool = False, **kwargs: Any) -> bool:
        """Deletes every key of every database."""
        return self.execute_command("FLUSHALL", *(["ASYNC"] if asynchronous else []), **kwargs)

    def flushdb(self, asynchronous: bool = False, **kwargs: Any) -> bool:
        """Deletes every key of this database."""
        return self.execute_command("FLUSHDB", *(["ASYNC"] if asynchronous else []), **kwargs)

    def info(self, section: Optional[str] = None, *args: str, **kwargs: Any) -> Dict[str, Any]:
        """The server's figures: numbers as int or float, "a=1,b=2" as a dict."""
        sections = () if section is None else (section, *args)
        return self.execute_command("INFO", *sections, **kwargs)

    def ping(self, **kwargs: Any) -> bool:
        """True."""
        return self.execute_command("PING", **kwargs)

    def publish(self, channel: KeyT, message: EncodableT, **kwargs: Any) -> int:
        """How many subscribers of this node got it."""
        return self.execute_command("PUBLISH", channel, message, **kwargs)

    def script_load(self, script: str) -> str:
        """The script's SHA1."""
        return self.execute_command("SCRIPT LOAD", script)

    def time(self, **kwargs: Any) -> Tuple[int, int]:
        """The server's clock: (Unix seconds, microseconds)."""
        return self.execute_command("TIME", **kwargs)

    def wait(self, num_replicas: int, timeout: int, **kwargs: Any) -> int:
        """Waits up to ``timeout`` ms for replicas; how many have the writes of this connection."""
        return self.execute_command("WAIT", num_replicas, timeout, **kwargs)
