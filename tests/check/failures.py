"""What `./dev test` shows of a failed runner: tools/dev/failures.py finds the failed test in a log
of every form that a runner writes, with its reasons and without what passed around it.
"""

import sys

import common

sys.dont_write_bytecode = True
sys.path.insert(0, str(common.ROOT / "tools" / "dev"))

import failures  # noqa: E402

# name -> (log, title of what failed, a line of its reasons)
EXAMPLES = {
    "node": (
        """\
▶ connections
  ✔ connects (3.1ms)
  ✖ comes back (12.5ms)
    AssertionError [ERR_ASSERTION]: got 3

    3 !== 2

        at TestContext.<anonymous> (/tests/connection.test.js:2:68)

  ✔ passed-around it (0.2ms)
✖ connections (56.2ms)

ℹ tests 5
✖ failing tests:

test at tests/connection.test.js:2:43
✖ comes back (12.5ms)
  AssertionError [ERR_ASSERTION]: got 3
""",
        "✖ comes back (12.5ms)",
        "    3 !== 2",
    ),
    "a file of node that broke off": (
        "✔ passed-around it (1ms)\nFAILED tests/tls.test.js: exit code 124 and no count\n",
        "FAILED tests/tls.test.js: exit code 124 and no count",
        "FAILED tests/tls.test.js: exit code 124 and no count",
    ),
    "conformance": (
        """\
  45 programs, 0 failed, 32 s
failed: cluster-faults 810678582 15
    go 0.70 (transaction): transaction-end c0: [1] fits no state of the data
  80 programs, passed-around it, 1 failed, 63 s
""",
        "failed: cluster-faults 810678582 15",
        "    go 0.70 (transaction): transaction-end c0: [1] fits no state of the data",
    ),
    "tap": (
        """\
ok 1 - passed-around it # 1 ms
# test_pool.c:12: count == 2: there are 3
not ok 2 - waits in order # 3 ms
ok 3 - passed-around it # 1 ms
1..3
""",
        "not ok 2 - waits in order # 3 ms",
        "# test_pool.c:12: count == 2: there are 3",
    ),
    "criterion": (
        """\
ok - pool::passed-around it  (0.00s)
not ok - pool::waits  (0.00s)
  tests/unit/test_pool.c:12: Assertion failed: 3 == 2
ok - pool::passed-around it  (0.00s)
""",
        "not ok - pool::waits  (0.00s)",
        "  tests/unit/test_pool.c:12: Assertion failed: 3 == 2",
    ),
    "python": (
        """\
test_one (tests.test_life.Life.test_one) ... FAIL
test_two (tests.test_life.Life.test_two) passed-around it ... ok

======================================================================
FAIL: test_one (tests.test_life.Life.test_one)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/tests/test_life.py", line 3, in test_one
AssertionError: 3 != 2

----------------------------------------------------------------------
Ran 2 tests in 0.001s
""",
        "FAIL: test_one (tests.test_life.Life.test_one)",
        "AssertionError: 3 != 2",
    ),
    "java": (
        """\
ok     PoolTests.passed-around it (3 ms)
FAILED PoolTests.waits (60 ms)
java.lang.AssertionError: expected 2, got 3
\tat io.tendon.jedis.tests.Check.equal(Check.java:20)
ok     PoolTests.passed-around it (3 ms)
""",
        "FAILED PoolTests.waits (60 ms)",
        "java.lang.AssertionError: expected 2, got 3",
    ),
    "go": (
        """\
FAILED tendon.dev/redis TestWakeUp
=== RUN   TestWakeUp
    wakeup_test.go:12: got 3
--- FAIL: TestWakeUp (0.01s)
196 passed, 1 failed
""",
        "FAILED tendon.dev/redis TestWakeUp",
        "    wakeup_test.go:12: got 3",
    ),
    "a sanitizer": (
        """\
==12==ERROR: AddressSanitizer: heap-use-after-free on address 0x1
    #0 0x1 in tendon__channel_close lib/client/channel.c:1
""",
        "==12==ERROR: AddressSanitizer: heap-use-after-free on address 0x1",
        "    #0 0x1 in tendon__channel_close lib/client/channel.c:1",
    ),
}
PASSED = "\n".join(f"  ✔ test {number} (1ms)" for number in range(2000))


def findings_of(name, log, title, reason):
    text = f"{PASSED}\n{log}{PASSED}\n"
    lines = failures.excerpt(text)
    if title not in failures.titles(text):
        yield f"{name}: {title!r} is not among {failures.titles(text)}"
    if reason not in lines:
        yield f"{name}: {reason!r} is not shown"
    if any("passed-around" in line for line in lines):
        yield f"{name}: shows what passed: {lines}"


def bounds():
    """A runner in which everything failed still fits."""
    text = "".join(f"FAILED Suite.test{n}\n" + "\tat a.line\n" * 200 for n in range(500))
    shown = len(failures.excerpt(text))
    if shown > (failures.BLOCK_LINES + 1) * failures.BLOCKS_MAX + failures.BLOCKS_MAX + 1:
        yield f"bounds: shows {shown} lines"
    if failures.excerpt(PASSED):
        yield f"bounds: shows something of what passed: {failures.excerpt(PASSED)[:3]}"


def main():
    findings = [
        finding for name, example in EXAMPLES.items() for finding in findings_of(name, *example)
    ]
    findings += bounds()
    for finding in findings:
        print(finding)
    print(f"failures: {len(findings)} findings in {len(EXAMPLES)} logs")
    sys.exit(1 if findings else 0)


main()
