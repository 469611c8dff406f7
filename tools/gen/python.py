"""Python's surface: the methods, their tests, and what of redis-py is missing."""

import pathlib

import python_errors
import python_keywords
import python_methods
import python_native
import python_names
import python_replies
import python_table
import python_tests
import python_twins
import surface

# Command methods that are written by hand, and what they send.
BY_HAND = {
    "mget_nonatomic": "MGET",
    "mset_nonatomic": "MSET",
    "cluster_delslots": "CLUSTER|DELSLOTS",
    "watch": "WATCH",
    "unwatch": "UNWATCH",
    "multi": "MULTI",
    "execute": "EXEC",
    "discard": "DISCARD",
    "monitor": "MONITOR",
    "subscribe": "SUBSCRIBE",
    "unsubscribe": "UNSUBSCRIBE",
    "psubscribe": "PSUBSCRIBE",
    "punsubscribe": "PUNSUBSCRIBE",
    "ssubscribe": "SSUBSCRIBE",
    "sunsubscribe": "SUNSUBSCRIBE",
}


def methods(root):
    """(method, command or "") for every command method, also those written by hand."""
    known = surface.facts(root)
    found = [
        (method.name, python_methods.command(method, known))
        for section in python_table.sections(root)
        for method in section.methods
    ]
    return found + sorted(BY_HAND.items())


def reasons(root):
    """Why clients lack names of redis-py's: {name: reason}."""
    path = pathlib.Path(root) / "spec/surface/missing-python.txt"
    lines = [line for line in path.read_text().splitlines() if line.strip() and line[0] != "#"]
    found = dict(line.split("  ", 1) for line in lines)
    return {name: text for name, text in found.items() if name.isidentifier()}


def missing(root):
    """Names in redis-py's methods and modules that are neither here nor left out with a reason."""
    return surface.missing(root, "python", python_names.ours(root))


def outputs(root):
    known, sections = surface.facts(root), python_table.sections(root)
    made = python_methods.outputs(sections, known)
    made.update(python_methods.missing(reasons(root)))
    made.update(python_errors.outputs(pathlib.Path(root)))
    made.update(python_keywords.outputs(pathlib.Path(root)))
    made.update(python_tests.outputs(sections, known, surface.Fixture(root)))
    made.update(python_native.outputs(pathlib.Path(root)))
    made.update(python_replies.outputs(pathlib.Path(root)))
    made.update(python_twins.outputs(pathlib.Path(root)))
    return made
