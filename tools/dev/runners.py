"""The runners of `./dev test`: what each runs and how its tests are counted."""

import os
import re
import shutil
import subprocess
import time

import builds
import conformance
import console
import fuzzing
import meson_tests
import planted
import servers
import simulation

# A binding's tests that take longer than this would not fit the half hour that all have together.
RUNNER_SECONDS = 600
LANGUAGES = ["python", "node", "java", "go"]
# Suites with a row of their own, or none.
OTHER_SUITES = ["integration", "stress", "check", "abi", "fuzz", "sim"]
FUZZ_SECONDS = 5
# New conformance programs in each environment, beside the fixed ones; how long they are, and which
# of them the mirrored clients execute, too.
CONFORMANCE_PROGRAMS = 200
CONFORMANCE_OPERATIONS = 30
CONFORMANCE_PEERS_EVERY = 10
CONFORMANCE_SECONDS = 1200
# So many failed tests of a runner are named again at the end.
NAMES_MAX = 8
# The exit code of a test that cannot be run here.
SKIPPED = 77
VALGRIND = (
    "valgrind --leak-check=full --show-leak-kinds=definite,indirect,possible"
    " --errors-for-leak-kinds=definite,indirect,possible --error-exitcode=99"
)


class Row:
    """One line of the table: what a runner gave. counted=False keeps repeated tests out of the
    total.
    """

    def __init__(self, name, counted=True):
        self.name = name
        self.counted = counted
        self.passed = self.failed = self.skipped = 0
        self.seconds = 0.0
        self.note = ""
        self.names = []

    def take(self, passed, failed, skipped=0, note="", names=()):
        self.passed, self.failed, self.skipped, self.note = passed, failed, skipped, note
        self.names = list(names)
        if passed + failed + skipped == 0:
            self.failed, self.note = 1, note or "gave no count"


class Context:
    """What runners share."""

    def __init__(self, servers_folder, bound):
        self.servers_folder = servers_folder
        self.servers_bound = bound

    def environment(self, runner, build_name="test"):
        return dict(os.environ, **builds.environment(build_name, runner, self.servers_folder))


def unit(row, context):
    row.take(*meson_tests.run("unit tests", "test", [], OTHER_SUITES, context.environment("c")))


def sanitized(row, context):
    """Unit and integration tests once more; the same tests, so they are not counted twice."""
    builds.build("asan")
    env = dict(context.environment("c", "asan"), **builds.SANITIZER_ENVIRONMENT)
    row.take(
        *meson_tests.run(
            "unit and integration tests under ASan+UBSan",
            "asan",
            [],
            ["check", "abi", "fuzz"],
            env,
            4,
        )
    )
    row.note = row.note or "the same tests, not added to the total"


def integration(row, context):
    row.take(
        *meson_tests.run(
            "integration tests",
            "test",
            ["integration", "stress"],
            (),
            context.environment("c"),
        )
    )


def threads(row, context):
    """The thread programs under ThreadSanitizer; the same tests, so they are not counted twice."""
    builds.build("tsan")
    env = dict(context.environment("c", "tsan"), **builds.SANITIZER_ENVIRONMENT)
    row.take(
        *meson_tests.run(
            "thread programs under TSan", "tsan", ["stress"], (), env, 2, fixed_addresses()
        )
    )
    row.note = row.note or "the same tests, not added to the total"


def fixed_addresses():
    """Words that switch the random layout of programs off, where that is allowed. Kernels that use
    more than 28 bits of it leave ThreadSanitizer of gcc 12 and clang 14 no room for its shadow.
    """
    words = ["setarch", "-R"]
    try:
        allowed = subprocess.run([*words, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        allowed = False
    return words if allowed else []


def checks(row, context):
    row.take(*meson_tests.run("checks", "test", ["check", "abi"], (), context.environment("c")))


def fuzz(row, _context):
    row.take(*fuzzing.run(FUZZ_SECONDS, grow=False))


def simulated(row, _context):
    """The worlds, then the worlds against planted defects, each of which is one test."""
    passed, failed, skipped, note = simulation.run()
    found, missed = planted.run()
    row.take(passed + found, failed + missed, skipped, f"{note}, {found} planted defects found")


def counts(result):
    """(passed, failed) of a program whose last line says so; None when it does not."""
    lines = [line.strip() for line in result.text().splitlines() if line.strip()]
    if result.code is None:  # then the last line says that it took too long
        lines = lines[:-1]
    found = re.fullmatch(r"(\d+) passed, (\d+) failed", lines[-1]) if lines else None
    return found and (int(found.group(1)), int(found.group(2)))


def by_contract(row, context, program):
    """A program that prints `N passed, N failed` as its last line."""
    path = console.ROOT / program
    if not os.access(path, os.X_OK):
        row.take(0, 0, note=f"{program} is missing")
        return
    result = console.run(
        program,
        [path],
        cwd=path.parent,
        env=context.environment(row.name),
        timeout_s=RUNNER_SECONDS,
    )
    found = counts(result)
    passed, failed = found or (0, 0)
    note = "took too long" if result.code is None else "" if found else "gave no count"
    if result.code != 0 and failed == 0:
        failed, note = 1, note or f"exit code {result.code} though no test failed"
    row.take(passed, failed, 0, note)
    if row.failed:
        row.names = console.show_failure(result)


def valgrind(row, context):
    """The C example's programs under valgrind: each ends without an error and without a leak."""
    demo = console.ROOT / "examples" / "c" / "run-demo"
    if not os.access(demo, os.X_OK):
        row.take(0, 0, note="examples/c/run-demo is missing")
        return
    logs = console.LOGS / "valgrind"
    shutil.rmtree(logs, ignore_errors=True)
    logs.mkdir(parents=True)
    env = context.environment("c")
    env["TENDON_WRAPPER"] = f"{VALGRIND} --log-file={logs}/%p.log"
    result = console.run(
        "C example under valgrind", [demo], cwd=demo.parent, env=env, timeout_s=RUNNER_SECONDS
    )
    texts = [path.read_text(errors="replace") for path in sorted(logs.glob("*.log"))]
    clean = [text for text in texts if "ERROR SUMMARY: 0 errors" in text]
    failed = len(texts) - len(clean) + (result.code != 0)
    row.take(len(clean), failed, 0, "" if texts else "the example did not run under TENDON_WRAPPER")
    if row.failed:
        row.names = console.show_failure(result)
        print("\n".join(text for text in texts if text not in clean))


def guard(row, context):
    """Instruction counts of the engine's paths; skipped with other compilers than theirs."""
    program = console.ROOT / "bench" / "guard" / "run-tests"
    env = context.environment("c")
    result = console.run("instruction counts", [program], env=env, timeout_s=RUNNER_SECONDS)
    if result.code == SKIPPED:
        row.take(0, 0, 1, "other compiler or C library than the committed counts")
    else:
        row.take(*counts(result) or (0, 0))
    if row.failed:
        row.names = console.show_failure(result)


def conforming(row, context):
    """Generated programs, the same in every language: the fixed ones, then new ones."""
    env = conformance.environment(context.servers_folder)
    conformance.build_drivers(env)
    words = ["--programs", str(CONFORMANCE_PROGRAMS), "--ops", str(CONFORMANCE_OPERATIONS)]
    words += ["--peers-every", str(CONFORMANCE_PEERS_EVERY)]
    result = console.run(
        "conformance", conformance.command(words), env=env, timeout_s=CONFORMANCE_SECONDS
    )
    compared = re.search(r"in all: (\d+ programs, \d+ results compared)", result.text())
    note = "took too long" if result.code is None else compared.group(1) if compared else ""
    row.take(*counts(result) or (0, 0), 0, note)
    if row.failed:
        row.names = console.show_failure(result)


def contract(program):
    return lambda row, context: by_contract(row, context, program)


RUNNERS = [
    ("unit", unit),
    ("sim", simulated),
    ("integration", integration),
    ("sanitized", sanitized),
    ("threads", threads),
    ("checks", checks),
    ("valgrind", valgrind),
    ("guard", guard),
    *[(language, contract(f"bindings/{language}/run-tests")) for language in LANGUAGES],
    ("conformance", conforming),
    ("examples", contract("examples/run-tests")),
    ("fuzz", fuzz),
]
UNCOUNTED = {"sanitized", "threads"}
NAMES = [name for name, _ in RUNNERS]


def run_one(name, context):
    """Runs one runner; whatever goes wrong in it becomes a row, so that the others still run."""
    row = Row(name, name not in UNCOUNTED)
    started = time.monotonic()
    try:
        dict(RUNNERS)[name](row, context)
    except console.Failure as failure:
        row.take(0, 1, 0, str(failure))
    broken = servers.repair(context.servers_folder, context.servers_bound)
    if broken:
        row.failed += 1
        row.note = "left these servers down: " + ", ".join(broken)
    row.seconds = time.monotonic() - started
    return row


def print_names(rows):
    """Names what failed once more beside the table: who reads a cut log of CI begins at its end."""
    for row in rows:
        for name in row.names[:NAMES_MAX]:
            print(f"failed in {row.name}: {name}")
        if len(row.names) > NAMES_MAX:
            print(f"failed in {row.name}: and {len(row.names) - NAMES_MAX} more")


def print_table(rows):
    """The table, then the one line that says it all. Returns the exit code."""
    print(f"\n{'runner':12} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
    for row in rows:
        print(
            f"{row.name:12} {row.passed:7} {row.failed:7} {row.skipped:8} {row.seconds:8.1f}"
            f"  {row.note}".rstrip()
        )
    print_names(rows)
    passed = sum(row.passed for row in rows if row.counted)
    failed = sum(row.failed for row in rows)
    print(f"\n{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0
