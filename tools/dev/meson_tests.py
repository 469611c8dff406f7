"""Runs Meson test suites and counts every TAP line and exit code in them."""

import json
import os
import re

import builds
import console
import failures

ASK_SECONDS = 900
# How much is shown of what a failed program wrote to stderr, or to stdout if it names no test.
OUTPUT_LINES = 60


def run(label, build_name, suites, without=(), extra_env=None, scale=1, prefix=()):
    """Runs suites of a build directory, behind the words of `prefix`. Returns (passed, failed,
    skipped, note).
    """
    place = builds.folder(build_name)
    base = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")
    log = place / "meson-logs" / f"{base}.json"
    log.unlink(missing_ok=True)
    argv = [
        *prefix,
        "meson",
        "test",
        "-C",
        place,
        "--no-rebuild",
        "--logbase",
        base,
        "--timeout-multiplier",
        scale,
        "--num-processes",
        os.cpu_count() or 1,
        "--print-errorlogs",
    ]
    for suite in suites:
        argv += ["--suite", suite]
    for suite in without:
        argv += ["--no-suite", suite]
    result = console.run(
        label, argv, env=dict(os.environ, **(extra_env or {})), timeout_s=ASK_SECONDS
    )
    if result.code != 0:
        console.show_tail(result)
    if not log.exists():
        note = "no test is registered yet" if result.code == 0 else "meson test failed"
        return 0, 0, 0, note, []
    passed = failed = skipped = 0
    names = []
    for line in log.read_text(errors="replace").splitlines():
        test = json.loads(line)
        counts = count(test)
        if counts[1]:
            names += show_failed(test)
        passed, failed, skipped = passed + counts[0], failed + counts[1], skipped + counts[2]
    if result.code != 0 and failed == 0:
        failed = 1
    return passed, failed, skipped, "", names


def show_failed(test):
    """Shows what failed in a program, and all that may say why. Returns the names."""
    console.say(f"failed in {test['name']} ({test['result']}):")
    out, err = test.get("stdout") or "", test.get("stderr") or ""
    lines = failures.excerpt(out) or out.splitlines()[-OUTPUT_LINES:]
    for line in lines + err.splitlines()[-OUTPUT_LINES:]:
        print(f"    | {line}".rstrip(), flush=True)
    names = failures.titles(out) or failures.titles(err) or [test["result"]]
    return [f"{test['name']}: {name}" for name in names]


def count(test):
    """(passed, failed, skipped) of one entry of Meson's log. A program that broke off counts as
    failed at least once.
    """
    lines = (test.get("stdout") or "").splitlines()
    good = [line for line in lines if re.match(r"ok\b", line)]
    bad = sum(1 for line in lines if re.match(r"not ok\b", line))
    state = test["result"]
    if good or bad:
        skips = sum(1 for line in good if re.search(r"#\s*skip", line, re.IGNORECASE))
        # Meson says SKIP of a program whose every line is skipped.
        broken = 1 if state not in ("OK", "EXPECTEDFAIL", "SKIP") and bad == 0 else 0
        return len(good) - skips, bad + broken, skips
    if state == "SKIP":
        return 0, 0, 1
    return (1, 0, 0) if state in ("OK", "EXPECTEDFAIL") else (0, 1, 0)
