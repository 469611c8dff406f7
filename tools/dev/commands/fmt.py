"""Lays out all C sources with clang-format. `--check` writes nothing and fails when a file is not
laid out.
"""

import formatting
import packages

SUMMARY = "lay out the C sources with clang-format"


def add_arguments(parser):
    parser.add_argument(
        "--check", action="store_true", help="write nothing, fail when a file would change"
    )


def run(arguments):
    packages.require("check")
    return 0 if formatting.run(check=arguments.check) else 1
