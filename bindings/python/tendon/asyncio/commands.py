"""
The command methods of asyncio clients. They are those of blocking clients: what they return is what
execute_command returns, here something to await. commands.pyi says so to type checkers.
"""

from tendon.commands import Commands as AsyncCommands

__all__ = ["AsyncCommands"]
