"""Shows the article's programs in C, Python, Node, Java and Go, all through one libtendon.so,
against real servers.

Installs what is missing, builds the core and the four bindings, starts the servers, runs the
programs, stops the servers.
"""

import os

import builds
import console
import packages
import servers

SUMMARY = "build everything and run the article's programs"
TITLES = {"c": "C", "python": "Python", "node": "Node.js", "java": "Java", "go": "Go"}
BUILD_SECONDS = 900
DEMO_SECONDS = 300


def add_arguments(parser):
    parser.add_argument(
        "--engine",
        choices=["redis", "valkey"],
        default="redis",
        help="which server (default: redis)",
    )
    parser.add_argument(
        "--only", metavar="LANGUAGES", help="only these, separated by commas: " + ", ".join(TITLES)
    )


def run(arguments):
    languages = arguments.only.split(",") if arguments.only else list(TITLES)
    unknown = sorted(set(languages) - set(TITLES))
    if unknown:
        raise console.Failure(f"no demo in {', '.join(unknown)}; there are {', '.join(TITLES)}")
    console.only_one()
    packages.require("core", "servers", "bindings", arguments.engine)
    place = builds.build("release")
    folder = servers.default_folder()
    failed = [
        language
        for language in languages
        if language != "c" and not build_binding(language, folder)
    ]
    started = servers.start(folder, arguments.engine, bound=True)
    try:
        failed += [
            language
            for language in languages
            if language not in failed and not show(language, folder)
        ]
    finally:
        if started:
            servers.stop(folder)
    size = (place / "lib" / "libtendon.so").resolve().stat().st_size
    print()
    console.say(
        f"done; one library of {size // 1024} KiB served "
        f"{len(languages) - len(failed)} of {len(languages)} languages"
    )
    if failed:
        raise console.Failure(
            "the demo failed in " + ", ".join(TITLES[language] for language in failed)
        )
    return 0


def step(label, program, language, folder, **options):
    path = console.ROOT / program
    if not os.access(path, os.X_OK):
        console.say(f"{program} is missing")
        return False
    env = dict(os.environ, **builds.environment("release", language, folder))
    result = console.run(label, [path], cwd=path.parent, env=env, **options)
    if result.code != 0 and not options.get("show"):
        console.show_tail(result)
    return result.code == 0


def build_binding(language, folder):
    return step(
        f"build {TITLES[language]} binding",
        f"bindings/{language}/build",
        language,
        folder,
        timeout_s=BUILD_SECONDS,
    )


def show(language, folder):
    print(f"\n=== {TITLES[language]} {'=' * (60 - len(TITLES[language]))}", flush=True)
    return step(
        f"{TITLES[language]} demo",
        f"examples/{language}/run-demo",
        language,
        folder,
        show=True,
        timeout_s=DEMO_SECONDS,
    )
