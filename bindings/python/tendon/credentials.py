"""Where user name and password come from."""

from __future__ import annotations

from typing import Optional, Tuple, Union


class CredentialProvider:
    """
    Base of providers. The provider is asked once, when the client is made at its first command.
    """

    def get_credentials(self) -> Union[Tuple[str], Tuple[str, str]]:
        """``(password,)`` or ``(username, password)``."""
        raise NotImplementedError("get_credentials must be implemented")

    async def get_credentials_async(self) -> Union[Tuple[str], Tuple[str, str]]:
        """What asyncio clients ask; override it where the answer has to be waited for."""
        return self.get_credentials()


class UsernamePasswordCredentialProvider(CredentialProvider):
    def __init__(self, username: Optional[str] = None, password: Optional[str] = None) -> None:
        self.username = username or ""
        self.password = password or ""

    def get_credentials(self) -> Union[Tuple[str], Tuple[str, str]]:
        if self.username:
            return self.username, self.password
        return (self.password,)
