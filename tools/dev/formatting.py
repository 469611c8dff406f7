"""Which C sources clang-format lays out, and running it on them."""

import console

FOLDERS = ["include", "lib", "tests", "examples", "bindings", "bench"]
# Written by tools/gen, or by a build inside a binding's folder.
SKIPPED = {"generated", "build", "node_modules", "target", "corpus"}
# A generated file says so at its top; it is laid out by its generator.
HEAD_CHARACTERS = 400
# clang-format settles a comment that it breaks anew only in its second pass over it.
PASSES = 3


def sources():
    """Every C source and header that a person writes."""
    found = []
    for folder in FOLDERS:
        for path in sorted((console.ROOT / folder).rglob("*.[ch]")):
            if SKIPPED & set(path.relative_to(console.ROOT).parts):
                continue
            if "do not edit" not in path.read_text(errors="replace")[:HEAD_CHARACTERS].lower():
                found.append(path)
    return found


def run(check):
    """Lays out everything, or with check only looks whether it is laid out."""
    program = ["clang-format", "--style=file"]
    for _ in range(0 if check else PASSES):
        console.must("clang-format", [*program, "-i", *sources()], quiet=True)
    result = console.run("clang-format", [*program, "--dry-run", "--Werror", *sources()])
    if result.code != 0:
        console.show_tail(result)
    return result.code == 0
