"""Builds the fuzz targets with clang and runs each for a while on its corpus."""

import os

import builds
import console


def targets():
    place = builds.folder("fuzz") / "tests" / "fuzz"
    return sorted(
        path for path in place.glob("fuzz_*") if path.is_file() and os.access(path, os.X_OK)
    )


def run(seconds):
    """Runs every target. Returns (passed, failed, skipped, note), one per target."""
    builds.build("fuzz")
    written = {path.stem for path in (console.ROOT / "tests" / "fuzz").glob("fuzz_*.c")}
    unbuilt = sorted(written - {target.name for target in targets()})
    results = [run_target(target, seconds) for target in targets()]
    note = f"not in tests/fuzz/meson.build: {', '.join(unbuilt)}" if unbuilt else ""
    return results.count(True), results.count(False) + len(unbuilt), 0, note


def run_target(target, seconds):
    """One target: new inputs go to build/, the committed corpus is only read. A crash is kept and
    named.
    """
    grown = builds.folder("fuzz") / "corpus" / target.name
    grown.mkdir(parents=True, exist_ok=True)
    corpora = [
        grown,
        console.ROOT / "tests" / "fuzz" / "corpus" / target.name.replace("fuzz_", "", 1),
    ]
    argv = [
        target,
        f"-max_total_time={seconds}",
        "-timeout=10",
        "-rss_limit_mb=2048",
        f"-artifact_prefix={builds.folder('fuzz')}/{target.name}-",
        "-print_final_stats=1",
    ]
    argv += [folder for folder in corpora if folder.is_dir()]
    result = console.run(
        f"fuzz {target.name} for {seconds} s",
        argv,
        env=dict(os.environ, **builds.SANITIZER_ENVIRONMENT),
        timeout_s=seconds + 60,
    )
    if result.code != 0:
        console.show_tail(result)
    return result.code == 0
