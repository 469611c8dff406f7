"""Runs every test: installs what is missing, builds, starts the test servers, runs each runner,
stops the servers.

The last line is `N passed, N failed` over all runners; the exit code is 1 when anything failed or a
runner gave no count. docs/testing.md describes the runners. Logs are kept under build/logs.
"""

import builds
import console
import packages
import runners
import servers

SUMMARY = "install, build and run every test"


def add_arguments(parser):
    parser.add_argument(
        "--engine",
        choices=["redis", "valkey"],
        default="redis",
        help="which server (default: redis)",
    )
    parser.add_argument("--only", metavar="NAMES", help="only these runners, separated by commas")
    parser.add_argument("--list", action="store_true", help="name the runners and end")


def run(arguments):
    if arguments.list:
        print("\n".join(runners.NAMES))
        return 0
    names = arguments.only.split(",") if arguments.only else runners.NAMES
    unknown = sorted(set(names) - set(runners.NAMES))
    if unknown:
        raise console.Failure(
            f"no runner {', '.join(unknown)}; there are {', '.join(runners.NAMES)}"
        )
    console.only_one()
    packages.require("core", "servers", "tests", "bindings", "check", arguments.engine)
    try:
        builds.build("test")
    except console.Failure as failure:
        print(f"dev: {failure}; no test ran\n\n0 passed, 1 failed")
        return 1
    folder = servers.default_folder()
    started = servers.start(folder, arguments.engine, bound=True)
    console.say(
        "servers: started"
        if started
        else "servers: using the ones that already run, and leaving them running"
    )
    try:
        context = runners.Context(folder, bound=started)
        rows = [runners.run_one(name, context) for name in runners.NAMES if name in names]
    finally:
        if started:
            servers.stop(folder)
            console.say("servers: stopped")
    return runners.print_table(rows)
