"""Runs the simulated world: network, servers, DNS, clock and callers, from one seed.

Without options: new seeds for a minute on every core. --seed replays one world exactly. --planted
builds the engine with one classic defect after the other and looks whether the worlds find it.
docs/testing.md says more.
"""

import builds
import console
import packages
import planted
import simulation

SUMMARY = "run simulated worlds by seed"


def add_arguments(parser):
    parser.add_argument("--seed", type=int, help="replay this world")
    parser.add_argument("--trace", action="store_true", help="with --seed: print all that happens")
    parser.add_argument("--worlds", type=int, help="so many worlds, from seed --from on")
    parser.add_argument("--from", dest="first", type=int, default=1, help="the first seed")
    parser.add_argument("--coverage", action="store_true", help="count what happened")
    parser.add_argument(
        "--planted",
        nargs="?",
        const="",
        metavar="NAME",
        help="plant the defects of tests/sim/bugs, or those of that name, and look for each",
    )
    parser.add_argument("--minutes", type=float, default=1, help="new seeds for so long")


def run(arguments):
    packages.require("core", "tests")
    builds.build("test", targets=[simulation.TARGET])
    if arguments.planted is not None:
        found, missed = planted.run(arguments.planted)
        print(f"{found} passed, {missed} failed")
        return 1 if missed or not found else 0
    if arguments.seed is None and arguments.worlds is None:
        results = simulation.run_new(int(arguments.minutes * 60))
        print(f"{sum(worlds for _, worlds in results)} worlds")
        return 0 if all(good for good, _ in results) else 1
    argv = [simulation.program()]
    if arguments.seed is not None:
        argv += ["--seed", arguments.seed]
    else:
        argv += ["--from", arguments.first, "--worlds", arguments.worlds]
    argv += ["--trace"] if arguments.trace else []
    argv += ["--coverage"] if arguments.coverage else []
    return console.run("sim", argv, show=True, timeout_s=24 * 3600).code
