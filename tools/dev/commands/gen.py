"""Writes every generated file from spec/ and tools/: tools/gen's own, and docs/dependencies.md."""

import sys

import console
import needs

SUMMARY = "write the generated files; --check fails when one is stale"


def add_arguments(parser):
    parser.add_argument(
        "--check", action="store_true", help="write nothing, fail when a file is stale"
    )


def run(arguments):
    words = ["--check"] if arguments.check else []
    code = console.run(
        "generate", [sys.executable, console.ROOT / "tools" / "gen", *words], show=True
    ).code
    path = console.ROOT / "docs" / "dependencies.md"
    if not path.exists() or path.read_text() != needs.markdown():
        if arguments.check:
            print("stale docs/dependencies.md")
            return 1
        path.write_text(needs.markdown())
        print("wrote docs/dependencies.md")
    return 0 if code == 0 else 1
