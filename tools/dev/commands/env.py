"""Prints the environment of a runner as `export` lines, to work on a binding by hand:

    eval "$(./dev env)"; bindings/python/run-tests; ./dev servers stop

Builds the core and starts the servers when they do not run; they stay until `./dev servers stop`.
"""

import contextlib
import shlex
import sys

import builds
import packages
import servers

SUMMARY = "print the environment of a runner, for work by hand"


def add_arguments(parser):
    parser.add_argument(
        "--build", choices=["test", "asan", "release"], default="test", help="which build directory"
    )
    parser.add_argument("--runner", default="hand", help="whose TENDON_OUT (default: hand)")


def run(arguments):
    folder = servers.default_folder()
    with contextlib.redirect_stdout(sys.stderr):
        packages.require(
            "core", "servers", "redis", *(["tests"] if arguments.build != "release" else [])
        )
        builds.build(arguments.build)
        servers.start(folder)
    for name, value in builds.environment(arguments.build, arguments.runner, folder).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0
