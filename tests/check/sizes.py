"""Functions of at most 70 lines, files of at most 600, lines of at most 100 columns.

An exception is a line of ratchet.txt with its reason. It is refused when it is no longer needed, so
limits only tighten.
"""

import ast
import re

import common

LIMITS = {"function": 70, "file": 600, "columns": 100}
FOLDERS = ["include", "lib", "tests", "examples", "bindings", "bench", "tools", "spec", ".ci"]
SUFFIXES = (".c", ".h", ".py", ".js", ".mjs", ".cjs", ".ts", ".java", ".go", ".sh", "dev")
RATCHET = common.ROOT / "tests" / "check" / "ratchet.txt"
TAB_COLUMNS = 4


def c_functions(lines):
    """Yields (name, first line, length). The layout helps: a body opens and closes in the first
    column.
    """
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            first = start
            while (
                first > 0
                and re.match(r"[A-Za-z_ \t*]", lines[first - 1])
                and not lines[first - 1].rstrip().endswith((";", "}", "*/"))
            ):
                first -= 1
            head = " ".join(lines[first:start])
            found = re.search(r"(\w+)\s*\(", head)
            if found and not head.lstrip().startswith("#"):
                name = found.group(1)
                if name in ("Test", "ParameterizedTest"):
                    name = re.sub(r"\s+", "", head[found.end() :].split(")")[0]).replace(",", "::")
                yield name, first + 1, number - first + 1
            start = None


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.lineno, node.end_lineno - node.lineno + 1


def read_ratchet():
    """Exceptions: (kind, name) -> (limit, whether it was used)."""
    allowed = {}
    for number, line in enumerate(RATCHET.read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split(None, 3)
        if len(parts) < 4 or parts[0] not in LIMITS or not parts[2].isdigit():
            raise SystemExit(
                f"ratchet.txt:{number}: expected `kind name limit reason`, got {line!r}"
            )
        allowed[parts[0], parts[1]] = int(parts[2])
    return allowed


def measures(path):
    """Yields (kind, name, where, value) of everything in a file that has a limit."""
    text = path.read_text(errors="replace")
    name = common.short(path)
    if common.is_generated(path, text):
        return
    lines = text.splitlines()
    yield "file", name, name, len(lines)
    widest = max(range(len(lines)), key=lambda number: width(lines[number]), default=None)
    if widest is not None:
        yield "columns", name, f"{name}:{widest + 1}", width(lines[widest])
    functions = []
    if name.endswith((".c", ".h")):
        functions = c_functions(lines)
    elif name.endswith(".py"):
        functions = python_functions(text)
    for function, line, length in functions:
        yield "function", f"{name}:{function}", f"{name}:{line} {function}", length


def width(line):
    return len(line.expandtabs(TAB_COLUMNS))


def main():
    allowed, needed, findings = read_ratchet(), set(), []
    paths = common.files(FOLDERS, SUFFIXES)
    for path in paths:
        for kind, name, where, value in measures(path):
            if value <= LIMITS[kind]:
                continue
            needed.add((kind, name))
            limit = allowed.get((kind, name), LIMITS[kind])
            if value > limit:
                unit = "columns" if kind == "columns" else "lines"
                findings.append(f"{where}: {kind} of {value} {unit}, the limit is {limit}")
    for kind, name in sorted(set(allowed) - needed):
        findings.append(f"ratchet.txt: `{kind} {name}` is no longer needed; remove the line")
    common.finish("sizes", findings, len(paths))


if __name__ == "__main__":
    main()
