"""Options and statuses are the same in the specification, in the code and in the manuals.

Tables and manuals are generated, so they hold what spec/ holds. What generating cannot know: that
the code does something with an option, that it gives a status, and that nobody speaks of one that
is none.
"""

import json
import re

import common

CODE = (".c", ".h")
TEXTS = (".c", ".h", ".cc", ".go", ".java", ".js", ".ts", ".py", ".md", ".json", ".txt")
EVERYWHERE = ["include", "lib", "bindings", "examples", "tests", "docs", "bench", "spec", "tools"]


def named(path, key):
    return {entry["name"] for entry in json.loads((common.ROOT / path).read_text())[key]}


def first_column(manual, form):
    text = (common.ROOT / "docs" / manual).read_text()
    return set(re.findall(rf"^\| `{form}` \|", text, re.MULTILINE))


def differences(place, found, wanted):
    yield from (f"{place}: {name} is missing" for name in sorted(wanted - found))
    yield from (f"{place}: {name} is not in spec/" for name in sorted(found - wanted))


def check_options(code):
    options = named("spec/options/options.json", "options")
    yield from differences("docs/options.md", first_column("options.md", "([a-z_0-9]+)"), options)
    for name in sorted(options):
        constant = f"TENDON__{name.upper()}_"
        if not re.search(rf"(->|\.){name}\b", code) and constant not in code:
            yield f"lib: nothing reads the option {name}"
    # Messages name options as 'name', or behind the word; bare ones are known by their underscore.
    said = re.findall(r"\boptions? '([a-z_0-9]+)'|\boptions? ([a-z0-9]+_[a-z_0-9]+)\b", code)
    for name in sorted({quoted or bare for quoted, bare in said} - options):
        if not re.search(rf"\b{name}\s*[(;,=\[)]|->{name}\b", code):  # a name in the code itself
            yield f"lib: a message speaks of an option {name}"


def check_statuses(code):
    statuses = named("spec/errors/errors.json", "statuses")
    found = first_column("errors.md", "TENDON_ERROR_([A-Z_]+)")
    yield from differences("docs/errors.md", found, statuses)
    header = (common.ROOT / "include/tendon/status.h").read_text()
    found = set(re.findall(r"define TENDON_ERROR_([A-Z_]+)", header))
    yield from differences("include/tendon/status.h", found, statuses)
    for name in sorted(statuses):
        if not re.search(rf"TENDON_ERROR_{name}\b", code):
            yield f"lib: nothing gives the status {name}"


def check_words():
    """Names of statuses and of `executed`, wherever somebody writes them."""
    known = {f"TENDON_ERROR_{name}" for name in named("spec/errors/errors.json", "statuses")}
    known |= {f"TENDON_CLASS_{name}" for name in named("spec/errors/errors.json", "classes")}
    known |= {f"TENDON_EXECUTED_{word}" for word in ("NO", "YES", "UNKNOWN")}
    pattern = re.compile(r"\bTENDON_(?:ERROR|CLASS|EXECUTED)_[A-Z_]*[A-Z]\b(?![*<{])")
    count = 0
    for path in common.files(EVERYWHERE, TEXTS):
        count += 1
        for word in sorted(set(pattern.findall(path.read_text(errors="replace"))) - known):
            if f"define {word}" not in path.read_text(errors="replace"):
                yield f"{common.short(path)}: {word} is not in spec/"
    assert count > 300, "the files were not found"


def main():
    lib = [path for path in common.files(["lib"], CODE) if "generated" not in path.parts]
    code = "\n".join(path.read_text() for path in lib)
    findings = [*check_options(code), *check_statuses(code), *check_words()]
    common.finish("spec", findings, len(lib))


if __name__ == "__main__":
    main()
