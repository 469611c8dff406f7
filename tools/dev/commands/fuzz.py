"""Builds the fuzz targets with clang and libFuzzer and runs them, as many at once as there are
processors.

    ./dev fuzz                          every target for a minute
    ./dev fuzz engine conn --minutes 30 two of them for half an hour
    ./dev fuzz engine --replay FILE     one input again, with all it says

What is found on the way is kept in build/fuzz/corpus and used the next time. An input that fails is
kept as build/fuzz/<target>-crash-…; copy it into tests/fuzz/corpus/<target> and commit it with the
fix.
"""

import pathlib

import console
import fuzzing
import packages

SUMMARY = "run the fuzz targets"


def add_arguments(parser):
    parser.add_argument("targets", nargs="*", help="which (default: all); --list names them")
    parser.add_argument("--seconds", type=int, default=60, help="time per target (default: 60)")
    parser.add_argument("--minutes", type=float, help="the same in minutes")
    parser.add_argument("--jobs", type=int, help="targets at once (default: all processors)")
    parser.add_argument("--replay", metavar="FILE", help="run one target on this input only")
    parser.add_argument("--list", action="store_true", help="name the targets and end")


def run(arguments):
    if arguments.list:
        print("\n".join(fuzzing.names()))
        return 0
    unknown = sorted(set(arguments.targets) - set(fuzzing.names()))
    if unknown:
        raise console.Failure(
            f"no fuzz target {', '.join(unknown)}; there are {', '.join(fuzzing.names())}"
        )
    packages.require("core", "check")
    if arguments.replay:
        return replay(arguments)
    seconds = int(arguments.minutes * 60) if arguments.minutes else arguments.seconds
    passed, failed, skipped, note = fuzzing.run(
        max(seconds, 1), arguments.targets, jobs=arguments.jobs
    )
    if note:
        print(note)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed + skipped else 0


def replay(arguments):
    path = pathlib.Path(arguments.replay).absolute()
    if len(arguments.targets) != 1 or not path.is_file():
        raise console.Failure("--replay wants one target and a file: ./dev fuzz NAME --replay FILE")
    return 0 if fuzzing.replay(arguments.targets[0], path) else 1
