"""The `dev` command: finds the subcommand in tools/dev/commands and runs it.

A subcommand is a module with SUMMARY, add_arguments(parser) and run(arguments) -> exit code; adding
one means adding its file and its name to NAMES.
"""

import argparse
import importlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import console  # noqa: E402

NAMES = ["demo", "test", "check", "bench", "servers", "fmt", "gen", "fuzz", "sim"]
NAMES += ["conformance", "env"]


def make_parser():
    parser = argparse.ArgumentParser(
        prog="./dev", description="Builds, tests and shows tendon. Each command has its own --help."
    )
    subparsers = parser.add_subparsers(dest="command", metavar="command", required=True)
    for name in NAMES:
        module = importlib.import_module(f"commands.{name}")
        sub = subparsers.add_parser(
            name,
            help=module.SUMMARY,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(sub)
        sub.set_defaults(run=module.run)
    return parser


def main():
    arguments = make_parser().parse_args()
    console.exit_on_signals()
    try:
        return arguments.run(arguments)
    except console.Failure as failure:
        print(f"dev: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dev: interrupted", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
