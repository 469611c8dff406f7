"""What the judge of the conformance suite holds for possible behind a faulty network, and what not.

The suite itself meets these cases too seldom to notice when the judge is wrong.
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "conformance"))

import natives
import worlds

UNKNOWN = natives.Error(kind="network", code="", executed="unknown")
NO = natives.Error(kind="network", code="", executed="no")
# As many failures of unknown outcome as make more worlds than are followed.
MANY = 20


def appended(judged, count, outcome=UNKNOWN):
    for index in range(count):
        judged.step([b"APPEND", b"key%d" % index, b"x"], outcome, False)


def late_behind_a_lease(failures):
    """An MSET of unknown outcome is executed behind the SET of a lease."""
    judged = worlds.Worlds(False)
    appended(judged, failures)
    judged.step([b"MSET", b"a", b"1.5"], UNKNOWN, True)
    judged.step([b"SET", b"a", b"-3"], "OK", True, False)
    judged.step([b"GET", b"a"], b"1.5", True, False)


def late_behind_its_own_connection(failures):
    """What an answer on the same connection has overtaken is not executed any more."""
    judged = worlds.Worlds(False)
    appended(judged, failures)
    judged.step([b"MSET", b"a", b"1.5"], UNKNOWN, True)
    judged.step([b"SET", b"a", b"-3"], "OK", True)
    judged.step([b"GET", b"a"], b"1.5", True)


def executed_after_all(failures):
    """What was said not to be executed is."""
    judged = worlds.Worlds(False)
    appended(judged, failures)
    judged.step([b"SET", b"a", b"1.5"], NO, True)
    judged.step([b"SET", b"a", b"-3"], "OK", True, False)
    judged.step([b"GET", b"a"], b"1.5", True, False)


def is_possible(case, failures):
    try:
        case(failures)
    except worlds.Impossible:
        return False
    return True


def main():
    said = {True: "possible", False: "impossible"}
    wanted = [
        (late_behind_a_lease, True),
        (late_behind_its_own_connection, False),
        (executed_after_all, False),
    ]
    wrong = [
        f"judge: {case.__name__} after {failures} failures must be {said[possible]}"
        for case, possible in wanted
        for failures in (0, 2, MANY)
        if is_possible(case, failures) != possible
    ]
    print("\n".join(wrong) or f"judge: {3 * len(wanted)} cases hold")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
