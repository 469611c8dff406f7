"""Which C sources clang-format lays out, and running it on them."""

import console

FOLDERS = ["include", "lib", "tests", "examples", "bindings", "bench"]
# Written by tools/gen, or by a build inside a binding's folder.
SKIPPED = {"generated", "build", "node_modules", "target", "corpus"}


def sources():
    """Every C source and header that a person writes."""
    found = []
    for folder in FOLDERS:
        for path in sorted((console.ROOT / folder).rglob("*.[ch]")):
            if not SKIPPED & set(path.relative_to(console.ROOT).parts):
                found.append(path)
    return found


def run(check):
    mode = ["--dry-run", "--Werror"] if check else ["-i"]
    result = console.run("clang-format", ["clang-format", "--style=file", *mode, *sources()])
    if result.code != 0:
        console.show_tail(result)
    return result.code == 0
