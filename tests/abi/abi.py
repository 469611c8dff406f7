"""The ABI of libtendon.so only grows: compares it with the committed description
tests/abi/tendon.abi.

Usage: abi.py path/to/libtendon.so           compare; 77 (skipped) until there is a baseline
       abi.py --write path/to/libtendon.so   make the baseline anew, at a release

The library must carry debug information (build/test does).
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASELINE = ROOT / "tests" / "abi" / "tendon.abi"
DESCRIBE = [
    "--headers-dir",
    str(ROOT / "include"),
    "--drop-private-types",
    "--type-id-style",
    "hash",
    "--no-corpus-path",
    "--no-comp-dir-path",
    "--no-show-locs",
]


def describe(library, out):
    """Writes what the library exports, as far as the public headers define it."""
    subprocess.run(["abidw", *DESCRIBE, "--out-file", str(out), library], check=True)


def write(library):
    describe(library, BASELINE)
    print(f"wrote {BASELINE}; review it and commit it")
    return 0


def compare(library):
    if not BASELINE.exists():
        print(
            "abi: no baseline yet; once the library is complete: "
            "python3 tests/abi/abi.py --write LIBRARY"
        )
        return 77
    # Two descriptions are compared, because abidiff of Debian 12 breaks off when it is to leave out
    # private types of a library itself. Additions are allowed within one major version.
    with tempfile.TemporaryDirectory() as folder:
        now = pathlib.Path(folder, "now.abi")
        describe(library, now)
        done = subprocess.run(["abidiff", "--no-added-syms", str(BASELINE), str(now)])
    if done.returncode != 0:
        print("abi: a published function or type changed; append, or raise TENDON_ABI_MAJOR")
    return 1 if done.returncode else 0


def main():
    words = sys.argv[1:]
    if shutil.which("abidiff") is None:
        print("abi: abidiff is not installed (package abigail-tools)")
        return 77
    if len(words) == 2 and words[0] == "--write":
        return write(words[1])
    if len(words) != 1:
        print(__doc__)
        return 2
    return compare(words[0])


if __name__ == "__main__":
    sys.exit(main())
