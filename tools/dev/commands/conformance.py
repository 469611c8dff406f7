"""Runs the same generated programs with every driver: C, Python, Node, Java and Go, and the clients
that they mirror, and compares what they say.

Without options: the fixed set and 50 new programs in every environment. --seed runs one program
again, --bisect makes what fails small and prints it. tests/conformance/PROTOCOL.md and
docs/conformance.md say more.
"""

import builds
import conformance
import console
import packages
import servers

SUMMARY = "compare all languages on generated programs"


def add_arguments(parser):
    parser.add_argument("--seed", type=int, help="this program only")
    parser.add_argument("--ops", type=int, default=200, help="operations of a program")
    parser.add_argument("--faulty-ops", type=int, help="the same behind faults; else as --ops")
    parser.add_argument("--programs", type=int, default=50, help="new programs per environment")
    parser.add_argument(
        "--peers-every", type=int, default=1, metavar="N", help="peers run every Nth program only"
    )
    parser.add_argument("--lang", metavar="NAMES", help="only these drivers")
    parser.add_argument("--env", metavar="NAMES", help="only these environments")
    parser.add_argument("--bisect", action="store_true", help="shrink what fails, and print it")
    parser.add_argument("--print", action="store_true", help="with --seed: print the program")
    parser.add_argument("--report", action="store_true", help="write build/conformance/report.html")
    parser.add_argument(
        "--deviations", action="store_true", help="plant five defects and look for each"
    )
    parser.add_argument("--record", action="store_true", help="accept new native types")
    parser.add_argument("--engine", choices=["redis", "valkey"], default="redis")


def words(arguments):
    for name in ("seed", "ops", "faulty_ops", "programs", "peers_every", "lang", "env"):
        value = getattr(arguments, name)
        if value is not None:
            yield from (f"--{name.replace('_', '-')}", str(value))
    for name in ("bisect", "print", "report", "deviations", "record"):
        if getattr(arguments, name):
            yield f"--{name}"


def run(arguments):
    console.only_one()
    packages.require("core", "servers", "tests", "bindings", arguments.engine)
    builds.build("test")
    folder = servers.default_folder()
    started = servers.start(folder, arguments.engine, bound=True)
    try:
        env = conformance.environment(folder)
        conformance.build_drivers(env)
        program = conformance.command(words(arguments))
        return console.run("conformance", program, env=env, show=True, timeout_s=24 * 3600).code
    finally:
        if started:
            servers.stop(folder)
