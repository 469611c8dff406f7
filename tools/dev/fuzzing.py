"""Builds the fuzz targets with clang and runs each for a while, several side by side."""

import concurrent.futures
import os
import tempfile

import builds
import console

CORPUS = console.ROOT / "tests" / "fuzz" / "corpus"
# One input that takes longer, or makes a target need more memory, is a finding.
INPUT_SECONDS = 10
MEMORY_MB = 2048
# What a target may take beyond its time: reading its corpus, and the report of a crash.
GRACE_SECONDS = 120


def names():
    """The targets that are written, by their names in tests/fuzz."""
    return sorted(path.stem[5:] for path in (console.ROOT / "tests" / "fuzz").glob("fuzz_*.c"))


def program(name):
    return builds.folder("fuzz") / "tests" / "fuzz" / f"fuzz_{name}"


def run(seconds, chosen=None, grow=True, jobs=None):
    """Runs targets. Returns (passed, failed, skipped, note), one per target.

    With `grow` what is found is kept under build/fuzz/corpus and used the next time. Without, each
    run begins with the committed inputs and the same seed, so that a new failure has a new cause.
    """
    builds.build("fuzz")
    chosen = chosen or names()
    unbuilt = [name for name in chosen if not program(name).is_file()]
    built = [name for name in chosen if name not in unbuilt]
    with concurrent.futures.ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        try:
            results = list(pool.map(lambda name: run_target(name, seconds, grow), built))
        except BaseException:  # interrupted: nothing is left running
            pool.shutdown(wait=False, cancel_futures=True)
            console.end_running()
            raise
    note = f"not in tests/fuzz/meson.build: {', '.join(unbuilt)}" if unbuilt else ""
    return results.count(True), results.count(False) + len(unbuilt), 0, note


def arguments_of(name, seconds, grow, found):
    """libFuzzer writes what it finds into the first folder."""
    words = [
        f"-max_total_time={seconds}",
        f"-timeout={INPUT_SECONDS}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-artifact_prefix={builds.folder('fuzz')}/{name}-",
        "-print_final_stats=1",
    ]
    if not grow:
        words.append("-seed=1")
    return [*words, found, CORPUS / name]


def found_folder(name, grow, scratch):
    if not grow:
        return scratch
    grown = builds.folder("fuzz") / "corpus" / name
    grown.mkdir(parents=True, exist_ok=True)
    return grown


def run_target(name, seconds, grow):
    """One target. The committed corpus is only read; what makes it fail is kept and named."""
    if not any((CORPUS / name).glob("*")):
        console.say(f"fuzz {name}: tests/fuzz/corpus/{name} is empty")
        return False
    before = failures(name)
    with tempfile.TemporaryDirectory() as scratch:
        found = found_folder(name, grow, scratch)
        result = console.run(
            f"fuzz {name} for {seconds} s",
            [program(name), *arguments_of(name, seconds, grow, found)],
            env=environment(),
            timeout_s=seconds + GRACE_SECONDS,
        )
    if result.code != 0:
        console.show_tail(result)
        for path in sorted(failures(name) - before):
            explain(name, path)
    return result.code == 0


def failures(name):
    """Inputs that ended a target: crashes, time-outs, leaks and what needed too much memory."""
    kinds = ("crash", "timeout", "leak", "oom")
    return {path for kind in kinds for path in builds.folder("fuzz").glob(f"{name}-{kind}-*")}


def environment():
    return dict(os.environ, **builds.SANITIZER_ENVIRONMENT)


def explain(name, path):
    console.say(f"fuzz {name} failed with {path}")
    print(f"    again:  ./dev fuzz {name} --replay {path}")
    print(f"    keep:   cp {path} {CORPUS / name}/<what it shows>   (and commit it with the fix)")


def replay(name, path):
    """Runs one input of a target and shows all it says. Returns whether it passed."""
    builds.build("fuzz")
    result = console.run(f"replay {name}", [program(name), path], env=environment(), show=True)
    return result.code == 0
