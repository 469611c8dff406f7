"""The public names of a Go package, read from its sources as gofmt lays them out.

`python3 tools/gen/go_mirror.py` writes spec/surface/mirror-go.txt from go-redis, which the go
command fetches. Names are Cmdable.Get for the commands, Type.Method, Type.Field, and plain words
for types, functions, variables and constants.
"""

import json
import pathlib
import re
import subprocess

MIRRORED = "github.com/redis/go-redis/v9@v9.23.0"
# What a receiver that nobody sees is called: who has its methods.
SEEN_AS = {
    "cmdable": "Cmdable", "statefulCmdable": "StatefulCmdable", "hooksMixin": "Client",
    "baseClient": "Client", "baseCmd": "Cmder", "hooks": "Client",
}  # fmt: skip
FUNCTION = re.compile(r"^func (?:\(\w* ?\*?(\w+)(?:\[[^\]]*\])?\) )?([A-Z]\w*)\b", re.M)
TYPE = re.compile(
    r"^type (\w+)(?:\[[^\]]*\])? (struct|interface) \{\n(.*?)^\}|"
    r"^type (\w+) struct\{ ([^\n]*) \}$|^type ([A-Z]\w*) ",
    re.M | re.S,
)
GROUP = re.compile(r"^(?:var|const|type) \((.*?)^\)", re.M | re.S)
SINGLE = re.compile(r"^(?:var|const) ([A-Z]\w*)", re.M)


class Package:
    def __init__(self, folder):
        text = "\n".join(
            path.read_text()
            for path in sorted(pathlib.Path(folder).glob("*.go"))
            if not path.name.endswith("_test.go")
        )
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        text = re.sub(r"(?m)(^|\s)//.*$", "", text)
        self.methods, self.fields, self.embedded = {}, {}, {}
        self.names = set()
        self.functions(text)
        self.types(text)
        for group in GROUP.findall(text):
            self.names.update(re.findall(r"^\t([A-Z]\w*)", group, re.M))
        self.names.update(SINGLE.findall(text))

    def functions(self, text):
        for receiver, name in FUNCTION.findall(text):
            if receiver:
                self.methods.setdefault(receiver, set()).add(name)
            else:
                self.names.add(name)

    def types(self, text):
        for name, kind, body, short, embedded, other in TYPE.findall(text):
            self.names.add(other or short or name)
            if short:
                self.struct(short, f"\t{embedded}")
            if kind == "interface":
                if not name.endswith("Cmdable"):
                    self.methods.setdefault(name, set()).update(
                        re.findall(r"^\t([A-Z]\w*)\(", body, re.M)
                    )
            elif kind:
                self.struct(name, body)

    def struct(self, name, body):
        for line in body.splitlines():
            embedded = re.fullmatch(r"\s\*?(\w+)(?:\[.*\])?", line)
            if embedded:
                self.embedded.setdefault(name, []).append(embedded[1])
            found = re.match(r"\t((?:[A-Z]\w*, )*[A-Z]\w*)\s+\S", line)
            if found:
                self.fields.setdefault(name, set()).update(found[1].split(", "))

    def promoted(self, name):
        """Methods of a type, and of what it embeds."""
        found = set(self.methods.get(name, ()))
        for inner in self.embedded.get(name, ()):
            if inner not in ("cmdable", "statefulCmdable", "baseCmd"):
                found |= self.promoted(inner)
        return found

    def surface(self):
        found = {name for name in self.names if name[:1].isupper()}
        for receiver, names in self.methods.items():
            if receiver in SEEN_AS:
                found.update(f"{SEEN_AS[receiver]}.{name}" for name in names)
        for name in list(found):
            members = self.promoted(name) | self.fields.get(name, set())
            found.update(f"{name}.{member}" for member in members if member[:1].isupper())
        return found


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    done = subprocess.run(
        ["go", "mod", "download", "-json", MIRRORED], capture_output=True, text=True, check=True
    )
    names = Package(json.loads(done.stdout)["Dir"]).surface()
    head = f"# The public names of {MIRRORED}, written by tools/gen/go_mirror.py. Do not edit.\n"
    path = root / "spec/surface/mirror-go.txt"
    path.write_text(head + "\n".join(sorted(names)) + "\n")


if __name__ == "__main__":
    main()
