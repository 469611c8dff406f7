"""Lua scripts as callables, for asyncio. tendon/commands/script.py is generated from this file."""

from __future__ import annotations

import hashlib
from typing import Any, Iterable, Optional, Sequence, Union

from tendon.exceptions import NoScriptError


class AsyncScript:
    """
    What register_script() gives: ``await script(keys=[...], args=[...])`` runs it by its SHA1, and
    sends its text when the server does not have it. With ``client`` on another client; in a
    pipeline it is queued, and execute() sends its text first if it must.
    """

    def __init__(self, registered_client: Any, script: Union[str, bytes]) -> None:
        self.registered_client = registered_client
        self.script = script
        text = script.encode() if isinstance(script, str) else bytes(script)
        self.sha = hashlib.sha1(text).hexdigest()  # noqa: S324 - the server's own name for it

    async def __call__(
        self,
        keys: Optional[Sequence[Any]] = None,
        args: Optional[Iterable[Any]] = None,
        client: Any = None,
    ) -> Any:
        names = list(keys or ())
        values = names + list(args or ())
        client = self.registered_client if client is None else client
        scripts = getattr(client, "scripts", None)
        if scripts is not None:  # a pipeline, which sends the text before it is executed
            scripts.add(self)
        try:
            return await client.evalsha(self.sha, len(names), *values)
        except NoScriptError:
            self.sha = await client.script_load(self.script)
            return await client.evalsha(self.sha, len(names), *values)

    def get_encoder(self) -> Any:
        return self.registered_client.get_encoder()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.sha}>"


async def load_missing(client: Any, scripts: Iterable[AsyncScript]) -> None:
    """Sends the texts of the scripts that the server, or a node of the cluster, does not have."""
    wanted = list(scripts)
    known = await client.script_exists(*[script.sha for script in wanted])
    for script, present in zip(wanted, known):
        if not present:
            script.sha = await client.script_load(script.script)
