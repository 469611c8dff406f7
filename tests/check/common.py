"""What the checkers share: the repository's files, and how findings are told."""

import os
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Not written by us: builds, what package managers fetch, inputs of the fuzzers.
SKIPPED = {"build", "node_modules", "target", "corpus", "__pycache__", "dist", ".git", ".venv"}
GENERATED_MARKS = ("Do not edit", "DO NOT EDIT")


def files(folders, suffixes):
    """Every file a person or generator of ours wrote below the folders, sorted."""
    found = []
    for folder in folders:
        for place, names, entries in os.walk(ROOT / folder):
            names[:] = [name for name in names if not name.startswith(".") and name not in SKIPPED]
            found += [pathlib.Path(place, entry) for entry in entries if entry.endswith(suffixes)]
    return sorted(found)


def short(path):
    return str(path.relative_to(ROOT))


def is_generated(path, text):
    if "generated" in path.relative_to(ROOT).parts:
        return True
    return any(mark in text[:400] for mark in GENERATED_MARKS)


def finish(name, findings, looked_at):
    """Prints the findings and ends with 1, or says what held and ends with 0."""
    for finding in findings:
        print(finding)
    if findings:
        print(f"{name}: {len(findings)} findings in {looked_at} files")
        sys.exit(1)
    print(f"{name}: {looked_at} files hold")
    sys.exit(0)
