"""What must hold before a commit: layout of C, layers, sizes, headers, symbols, generated files,
both compilers with -Werror, and the unit tests under AddressSanitizer and
UndefinedBehaviorSanitizer. Two minutes at most.
"""

import sys

import builds
import console
import formatting
import meson_tests
import packages
import runners

SUMMARY = "everything that must hold before a commit"
SCRIPTS = ["layers", "sizes", "headers", "generated", "failures", "spec"]


def add_arguments(parser):
    parser.add_argument("--fast", action="store_true", help="leave out the compilers and the tests")


def script(name, *words):
    path = console.ROOT / "tests" / "check" / f"{name}.py"
    result = console.run(name, [sys.executable, path, *words])
    if result.code not in (0, 77):
        console.show_tail(result)
    return result.code in (0, 77)


def built(name):
    try:
        builds.build(name)
    except console.Failure:
        return False
    return True


def sanitized():
    if not built("asan"):
        return False
    row = runners.Row("sanitized")
    row.take(
        *meson_tests.run(
            "unit tests under ASan+UBSan",
            "asan",
            [],
            runners.OTHER_SUITES,
            builds.SANITIZER_ENVIRONMENT,
            4,
        )
    )
    print(f"    {row.passed} passed, {row.failed} failed {row.note}".rstrip())
    return row.failed == 0


def run(arguments):
    packages.require("core", "tests", "check")
    steps = [("format", lambda: formatting.run(check=True))]
    steps += [(name, lambda name=name: script(name)) for name in SCRIPTS]
    if not arguments.fast:
        library = builds.folder("check-gcc") / "lib" / "libtendon.so"
        steps += [
            ("gcc -Werror", lambda: built("check-gcc")),
            ("clang -Werror", lambda: built("check-clang")),
            ("symbols", lambda: script("symbols", str(library))),
            ("sanitizers", sanitized),
        ]
    failed = [name for name, step in steps if not step()]
    print(
        f"\ncheck: {len(steps) - len(failed)} of {len(steps)} hold"
        + (f"; not: {', '.join(failed)}" if failed else "")
    )
    return 1 if failed else 0
