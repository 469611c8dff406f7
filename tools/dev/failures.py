"""Finds what failed in the log of a test program, wherever in the log it is.

The end of a log is not enough: a failed test may be followed by hundreds that passed. Every runner
has a form of its own; those that this repository uses are below, and tests/check/failures.py has an
example of each.
"""

import re

# Bounds, so that a runner in which everything failed still fits what a person reads.
BLOCK_LINES = 40
BLOCKS_MAX = 12
COLUMNS_MAX = 400
# In TAP the reasons stand before the line they explain.
BEFORE_LINES = 25
REASON = re.compile(r"\s*[#|]")
REASON_BEFORE = re.compile(r"not ok\b")

# How the first line about a failed test looks, and the first line that is about something else;
# without the latter it ends where any other failure begins.
FORMS = [
    # node --test --test-reporter=spec. The head of its own summary is no test.
    (r"\s*✖ (?!failing tests:)", r"\s*[✔▶ℹ﹣] |test at .*:\d+:\d+$|-- |FAILED "),
    # TAP of the C programs and of Criterion.
    (r"not ok\b", r"ok\b|1\.\.\d"),
    # unittest of Python, its report at the end.
    (r"(FAIL|ERROR|UNEXPECTED SUCCESS): \S", r"={20,}$|Ran \d+ tests"),
    # Our own: TestMain.java, tests/count of Go, run-tests of Node and of the examples.
    (r"FAILED \S", r"(ok|SKIP) |✖ |-- |▶ |✔ |\d+ passed, \d+ failed$"),
    # Conformance programs.
    (r"failed: \S+ \d+ \d+$", r"failed: |  \d+ programs, |drivers: "),
    # go test where nobody counts.
    (r"\s*--- FAIL: |panic: |fatal error: ", r"\s*--- |FAIL\s|ok\s+\S+\s|=== "),
    # Sanitizers, and the checks of the JVM.
    (r".*(ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|: runtime error: )", None),
    (r"WARNING: DATA RACE", None),
    (r"FATAL ERROR in native|WARNING.*JNI|WARNING in native method.*tendon", None),
]


def form_of(line):
    """The form of which this line is the first of a failure, or None."""
    return next((form for form in FORMS if re.match(form[0], line)), None)


def ends(line, form):
    first, other = form
    if other is None:
        return form_of(line) is not None
    return re.match(first, line) or re.match(other, line)


def block_at(lines, start, form):
    """(lines about one failed test, index of the line after them)."""
    before = start
    if REASON_BEFORE.match(lines[start]):
        while before > max(0, start - BEFORE_LINES) and REASON.match(lines[before - 1]):
            before -= 1
    end = start + 1
    while end < len(lines) and end - before < BLOCK_LINES and not ends(lines[end], form):
        end += 1
    block = [line[:COLUMNS_MAX].rstrip() for line in lines[before:end]]
    while not block[-1]:
        block.pop()
    return block, end


def find(text):
    """[(title, lines)] of every failed test in a log, in their order, each once. Of two reports the
    one that says more counts.
    """
    lines = text.splitlines()
    found = {}
    at = 0
    while at < len(lines):
        form = form_of(lines[at])
        if form is None:
            at += 1
            continue
        title = lines[at].strip()[:COLUMNS_MAX]
        block, at = block_at(lines, at, form)
        if len(block) > len(found.get(title, [])):
            found[title] = block
    return list(found.items())


def titles(text):
    return [title for title, _ in find(text)]


def excerpt(text):
    """The lines of a log that a person wants to read first, within bounds."""
    found = find(text)
    lines = []
    for _, block in found[:BLOCKS_MAX]:
        lines += [*block, ""]
    if len(found) > BLOCKS_MAX:
        lines.append(f"{len(found) - BLOCKS_MAX} more failed:")
        lines += [title for title, _ in found[BLOCKS_MAX : 2 * BLOCKS_MAX]]
    return lines
