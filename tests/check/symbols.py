"""libtendon.so exports exactly the TENDON_API functions of the public headers, with their version.

Usage: symbols.py path/to/libtendon.so
"""

import pathlib
import re
import subprocess
import sys

import common


def declared():
    """The functions that the headers declare."""
    names = set()
    for path in common.files(["include"], (".h",)):
        text = re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.DOTALL)
        text = re.sub(r"(?m)^[ \t]*#.*(?:\\\n.*)*$", "", text)
        names |= set(re.findall(r"\bTENDON_API\b[^;{}()]*?\b(tendon_\w+)\s*\(", text))
    return names


def exported(library):
    """The names that the dynamic linker sees: name -> version."""
    output = subprocess.run(
        ["nm", "-D", "--defined-only", library], stdout=subprocess.PIPE, check=True
    ).stdout.decode()
    found = {}
    for line in output.splitlines():
        kind, name = line.split()[-2:]
        if kind != "A":
            name, _, version = name.partition("@")
            found[name] = version.lstrip("@")
    return found


def needed_libraries(library):
    output = subprocess.run(
        ["readelf", "-d", library], stdout=subprocess.PIPE, check=True
    ).stdout.decode()
    return re.findall(r"\(NEEDED\).*\[(.+?)\]", output), re.findall(
        r"\(SONAME\).*\[(.+?)\]", output
    )


def main():
    if len(sys.argv) != 2 or not pathlib.Path(sys.argv[1]).exists():
        print("usage: symbols.py path/to/libtendon.so (built)")
        sys.exit(2)
    library = sys.argv[1]
    wanted, found = declared(), exported(library)
    findings = [f"declared but not exported: {name}" for name in sorted(wanted - set(found))]
    findings += [f"exported but not declared: {name}" for name in sorted(set(found) - wanted)]
    findings += [
        f"without the version TENDON_1: {name}"
        for name in sorted(found)
        if found[name] != "TENDON_1"
    ]
    needed, soname = needed_libraries(library)
    if soname != ["libtendon.so.1"] and soname != ["libtendon.so.0"]:
        findings.append(f"soname is {soname}")
    known = re.compile(r"lib(c|m|ssl|crypto|pthread|asan|ubsan)\.so\.\d+|ld-linux.*")
    findings += [
        f"needs {name}, which is not among its known dependencies"
        for name in needed
        if not known.fullmatch(name)
    ]
    common.finish(f"symbols ({len(found)} exported)", findings, 1)


if __name__ == "__main__":
    main()
