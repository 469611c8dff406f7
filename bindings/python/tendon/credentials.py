"""Where user name and password come from."""

from __future__ import annotations

from typing import Any, Callable, Optional, Tuple, Union


class CredentialProvider:
    """
    Base of providers. The provider is asked when the client is made at its first command, and again
    when the server refuses what it gave, as it does with an IAM token after 15 minutes.
    """

    def get_credentials(self) -> Union[Tuple[str], Tuple[str, str]]:
        """``(password,)`` or ``(username, password)``."""
        raise NotImplementedError("get_credentials must be implemented")

    async def get_credentials_async(self) -> Union[Tuple[str], Tuple[str, str]]:
        """What asyncio clients ask; override it where the answer has to be waited for."""
        return self.get_credentials()


class StreamingCredentialProvider(CredentialProvider):
    """
    A provider that announces new credentials by itself. tendon asks when it needs some: clients
    refuse those whose ``is_streaming()`` is true, because they would never be told.
    """

    def on_next(self, callback: Callable[[Any], None]) -> None:
        raise NotImplementedError

    def on_error(self, callback: Callable[[Exception], None]) -> None:
        raise NotImplementedError

    def is_streaming(self) -> bool:
        raise NotImplementedError


class UsernamePasswordCredentialProvider(CredentialProvider):
    def __init__(self, username: Optional[str] = None, password: Optional[str] = None) -> None:
        self.username = username or ""
        self.password = password or ""

    def get_credentials(self) -> Union[Tuple[str], Tuple[str, str]]:
        if self.username:
            return self.username, self.password
        return (self.password,)
