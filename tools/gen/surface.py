"""What the generators of all languages' methods read: the servers' facts, the fixture of their
tests, and the lists of names by which it is known that nothing of a mirrored client is missing."""

import fnmatch
import json
import pathlib


def read(root, name):
    return json.loads((pathlib.Path(root) / "spec" / name).read_text())


def facts(root):
    """Command name -> what the servers say of it (group, arity, since, flags, summary, complexity,
    arguments). Names are CONTAINER|SUBCOMMAND. Where several servers know a command the last file
    by name counts, valkey-8.1.json: it has the options of the older ones too."""
    known = {}
    for path in sorted((pathlib.Path(root) / "spec/commands").glob("*.json")):
        content = json.loads(path.read_text())
        if "server" not in content:
            continue
        for row in content["commands"]:
            known[row["name"]] = {**known.get(row["name"], {}), **row}
    return known


def command_of(known, words):
    """The name in `facts` of what a method sends: its first word, or its first two."""
    pair = "|".join(words[:2]).upper()
    return pair if pair in known else words[0].upper()


class Fixture:
    """spec/commands/fixture.json: the data that generated tests find, and values of parameters."""

    def __init__(self, root):
        content = read(root, "commands/fixture.json")
        self.keys, self.make = content["keys"], content["make"]
        self.groups, self.second = content["groups"], content["second"]
        self.parameters, self.commands = content["parameters"], content["commands"]

    def special(self, command):
        return self.commands.get(command, {})

    def error(self, command):
        """How the error begins that a call with the fixture's values gives; None: it succeeds."""
        return self.special(command).get("error")

    def is_alone(self, command):
        """Whether it needs a server that no other test uses."""
        return bool(self.special(command).get("alone"))

    def key(self, command, group, position=0):
        """The key for a command's `position`-th key parameter."""
        own = self.special(command).get("key")
        first = own or self.groups.get(group, self.groups["generic"])
        return self.second.get(group, first) if position and not own else first

    def value(self, command, parameter):
        """The value of a parameter that is no key, by its name in Redis' documentation; or None."""
        return self.special(command).get(parameter, self.parameters.get(parameter))


def names(root, name):
    """The first word of each line of a file in spec/surface that is neither empty nor a comment."""
    path = pathlib.Path(root) / "spec/surface" / name
    lines = path.read_text().splitlines() if path.exists() else []
    return {line.split()[0] for line in lines if line.strip() and not line.startswith("#")}


def missing(root, language, ours):
    """Names of the mirrored client that are neither offered nor left out with a reason. A name in
    the list of reasons may have * in it."""
    wanted = names(root, f"mirror-{language}.txt")
    reasons = names(root, f"missing-{language}.txt")
    patterns = [name for name in reasons if "*" in name]
    return sorted(
        name
        for name in wanted - set(ours) - reasons
        if not any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)
    )
