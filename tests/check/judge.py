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


def late_mset(failures, outcome, in_order):
    """An MSET of that outcome is executed behind a SET, of its own connection or of a lease."""
    judged = worlds.Worlds(False)
    for index in range(failures):
        judged.step([b"APPEND", b"key%d" % index, b"x"], UNKNOWN, False)
    judged.step([b"MSET", b"a", b"1.5"], outcome, True)
    judged.step([b"SET", b"a", b"-3"], "OK", True, in_order)
    judged.step([b"GET", b"a"], b"1.5", True, in_order)


def is_possible(*story):
    try:
        late_mset(*story)
    except worlds.Impossible:
        return False
    return True


def main():
    # (outcome, whether the SET has the MSET's connection, whether that can be): what an answer on
    # the same connection has overtaken is not executed any more, nor is what failed with "no".
    wanted = [(UNKNOWN, False, True), (UNKNOWN, True, False), (NO, False, False)]
    wrong = [
        f"judge: {failures} failures, {outcome}, in order {in_order}: must be possible: {possible}"
        for outcome, in_order, possible in wanted
        for failures in (0, 2, MANY)
        if is_possible(failures, outcome, in_order) != possible
    ]
    print("\n".join(wrong) or f"judge: {3 * len(wanted)} cases hold")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
