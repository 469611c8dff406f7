"""The ABI in include/tendon only grows: compares it with the committed description tendon.abi.

Usage: abi.py           compare with the baseline; exit code 77 (skipped) without tools or baseline
       abi.py --write   make the baseline anew, at a release

What is described is a small library made of the public headers alone: one pointer for each function
and one enumerator for each constant. So nothing private gets into the description, and it does
not depend on how libtendon is built; tests/check/symbols.py proves that libtendon exports just
these functions.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
BASELINE = ROOT / "tests" / "abi" / "tendon.abi"
INCLUDE = ROOT / "include"
TOOLS = ["gcc", "abidw", "abidiff"]
# Packed into text or dependent on the release; everything else that is a number is part of the ABI.
NOT_CONSTANTS = {"TENDON_ABI_MINOR"}


def header_text():
    text = "\n".join(path.read_text() for path in sorted(INCLUDE.glob("tendon/*.h")))
    return re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)


def source_text():
    """C of the library that is described."""
    text = header_text()
    functions = sorted(set(re.findall(r"\bTENDON_API\b[^;{}()]*?\b(tendon_\w+)\s*\(", text)))
    number = r"\(?-?(?:0x[0-9a-fA-F]+|\d+)[uUlL]*\)?"
    constants = re.findall(rf"(?m)^#\s*define\s+(TENDON_\w+)\s+{number}\s*$", text)
    lines = ["#include <tendon/tendon.h>"]
    lines += [f"__typeof__(&{name}) abi_{name};" for name in functions]
    lines += ["enum abi_constants {"]
    lines += [f"    ABI_{name} = {name}," for name in constants if name not in NOT_CONSTANTS]
    lines += ["};", "enum abi_constants abi_constants;", ""]
    return "\n".join(lines)


def describe(folder, out):
    source, library = folder / "abi.c", folder / "libabi.so"
    source.write_text(source_text())
    flags = ["-g", "-shared", "-fPIC", "-I", str(INCLUDE), f"-ffile-prefix-map={folder}=."]
    subprocess.run(["gcc", *flags, "-o", str(library), str(source)], check=True)
    names = ["--type-id-style", "hash", "--no-corpus-path", "--no-comp-dir-path", "--no-show-locs"]
    subprocess.run(["abidw", *names, "--out-file", str(out), str(library)], check=True)


def constants_of(description):
    """Name -> value of every published number."""
    root = xml.etree.ElementTree.parse(description).getroot()
    return {entry.get("name"): entry.get("value") for entry in root.iter("enumerator")}


def compare(folder):
    now = folder / "now.abi"
    describe(folder, now)
    diff = subprocess.run(["abidiff", "--no-added-syms", str(BASELINE), str(now)])
    # abidiff takes another value of an enumerator for harmless.
    old, new = constants_of(BASELINE), constants_of(now)
    changed = sorted(name for name in old if old[name] != new.get(name))
    for name in changed:
        print(f"{name.replace('ABI_', '', 1)} was {old[name]}, is {new.get(name, 'gone')}")
    if diff.returncode or changed:
        print("abi: something published changed. A field appended to a struct with struct_size is")
        print("     fine: --write a new baseline and say so in CHANGELOG.md. Nothing else is.")
        return 1
    print("abi: only grew, if at all")
    return 0


def main():
    if sys.argv[1:] not in ([], ["--write"]):
        print(__doc__)
        return 2
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        print(f"abi: {missing[0]} is not installed")
        return 77
    if sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            describe(pathlib.Path(folder), BASELINE)
        print(f"wrote {BASELINE}; review it and commit it")
        return 0
    if not BASELINE.exists():
        print("abi: there is no baseline; make one with python3 tests/abi/abi.py --write")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        return compare(pathlib.Path(folder))


if __name__ == "__main__":
    sys.exit(main())
