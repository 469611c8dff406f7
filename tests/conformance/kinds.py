"""The native types of a value, as words: what a driver gives for a command is always of the kinds
that natives.json names."""

import wire


def kinds_of(value):
    """`int`, `list of bytes`, `map to float`...: one for each type that is in it. What is missing
    or empty says nothing of a type."""
    if value is None:
        return set()
    if isinstance(value, list):
        return inner("list of", value)
    if isinstance(value, wire.Pairs):
        return inner("map from", [key for key, _ in value]) | inner(
            "map to", [item for _, item in value]
        )
    if isinstance(value, wire.Members):
        return inner("set of", value)
    return {type(value).__name__}


def inner(words, values):
    return {f"{words} {kind}" for value in values for kind in kinds_of(value)}
