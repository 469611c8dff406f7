"""Builds the fuzz targets with clang and libFuzzer and runs each on its corpus.

A crash ends a target; its input is kept as build/fuzz/<target>-crash-…; add it to
tests/fuzz/corpus with the fix.
"""

import fuzzing
import packages

SUMMARY = "run the fuzz targets"


def add_arguments(parser):
    parser.add_argument("--seconds", type=int, default=60, help="time per target (default: 60)")


def run(arguments):
    packages.require("core", "check")
    passed, failed, skipped, note = fuzzing.run(arguments.seconds)
    if note:
        print(note)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed + skipped else 0
