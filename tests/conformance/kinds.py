"""The native type of a value, as one word: what a driver gives for a command is always of the
kinds that natives.json names."""

import wire


def kind_of(value):
    if value is None:
        return "nil"
    if isinstance(value, list):
        return f"list of {inner(value)}"
    if isinstance(value, wire.Pairs):
        return f"map of {inner(key for key, _ in value)} to {inner(item for _, item in value)}"
    if isinstance(value, wire.Members):
        return f"set of {inner(value)}"
    if isinstance(value, wire.Failure):
        return "error"
    return type(value).__name__


def inner(values):
    return "/".join(sorted({kind_of(value) for value in values})) or "nothing"
