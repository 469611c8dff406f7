"""
Runs every test, or those whose names contain an argument, and prints the count the harness reads.
"""

from __future__ import annotations

import sys
import time
import unittest
from typing import Any, Iterator


class Result(unittest.TextTestResult):
    passed = 0

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.passed += 1

    def startTest(self, test: unittest.TestCase) -> None:
        self.began = time.monotonic()
        super().startTest(test)

    def stopTest(self, test: unittest.TestCase) -> None:
        took = time.monotonic() - self.began
        if took > 5:
            print(f"slow: {test.id()} {took:.1f} s", file=sys.stderr)
        super().stopTest(test)


def _each(suite: Any) -> Iterator[unittest.TestCase]:
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _each(test)
        else:
            yield test


def main() -> int:
    found = _each(unittest.defaultTestLoader.discover("tests", top_level_dir="."))
    words = sys.argv[1:]
    wanted = [test for test in found if not words or any(word in test.id() for word in words)]
    runner = unittest.TextTestRunner(stream=sys.stderr, verbosity=2, resultclass=Result)
    result = runner.run(unittest.TestSuite(wanted))
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    print(f"{result.passed} passed, {failed} failed")  # type: ignore[attr-defined]
    return 1 if failed or not result.passed else 0  # type: ignore[attr-defined]


sys.exit(main())
