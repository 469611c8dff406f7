"""What this repository needs from the machine: one row per need, with the reason a person reads.

docs/dependencies.md is printed from this table (`./dev gen`), so the two never differ. A need that
the machine already meets is left alone, whatever package or person put it there.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig

MAIN = "bookworm"
BACKPORTS = "bookworm-backports"


class Need:
    """One need: how to see that it is met, and which Debian packages meet it."""

    def __init__(self, name, packages, minimum, groups, reason, met, suite=MAIN):
        self.name = name
        self.packages = packages.split()
        self.minimum = minimum
        self.groups = groups.split()
        self.reason = reason
        self.met = met
        self.suite = suite


def output_of(argv):
    """What a program prints, or None when it is missing or fails."""
    if shutil.which(argv[0]) is None:
        return None
    done = subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
    )
    return done.stdout.decode(errors="replace") if done.returncode == 0 else None


def version_in(text):
    found = re.search(r"(\d+(?:\.\d+)+|\d+)", text or "")
    return tuple(int(part) for part in found.group(1).split(".")) if found else (0,)


def program(minimum, *argv):
    """A check that a program is there and prints at least the version `minimum`."""
    wanted = version_in(minimum)
    return lambda: (lambda text: text is not None and version_in(text) >= wanted)(
        output_of(list(argv))
    )


def library(name, minimum="0"):
    return lambda: output_of(["pkg-config", "--exists", f"{name} >= {minimum}"]) is not None


def compiler(name):
    """A compiler counts when it can build a program with the C library's headers."""

    def met():
        if shutil.which(name) is None:
            return False
        source = b'#include <stdio.h>\nint main(void) { return puts("") < 0; }\n'
        language = "c++" if name.endswith("++") else "c"
        done = subprocess.run(
            [name, "-x", language, "-", "-o", "/dev/null"],
            input=source,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        return done.returncode == 0

    return met


def clang_runtime():
    """Clang needs run-time libraries for sanitizers and fuzzing; Debian packs them apart."""
    folder = output_of(["clang", "--print-runtime-dir"])
    if not folder:
        return False
    found = {path.name for path in pathlib.Path(folder.strip()).glob("libclang_rt.*.a")}
    return any("fuzzer" in name for name in found) and any("asan" in name for name in found)


def go_usable():
    """Go counts at 1.24, and from 1.21 on when it may fetch the newer toolchain by itself."""
    version = version_in(output_of(["go", "env", "GOVERSION"]))
    if version >= (1, 24):
        return True
    toolchain = (output_of(["go", "env", "GOTOOLCHAIN"]) or "local").strip()
    return version >= (1, 21) and toolchain != "local"


def node_include():
    """The directory with node_api.h, or None."""
    node = shutil.which("node")
    places = [pathlib.Path("/usr/include/node"), pathlib.Path("/usr/include/nodejs/src")]
    if node:
        places.insert(0, pathlib.Path(os.path.realpath(node)).parent.parent / "include" / "node")
    for place in places:
        if (place / "node_api.h").exists():
            return place
    return None


def node_headers():
    place = node_include()
    return place is not None and any(
        (folder / "uv.h").exists() for folder in (place, pathlib.Path("/usr/include"))
    )


def pip_usable():
    return output_of([sys.executable, "-m", "pip", "--version"]) is not None


def python_headers():
    return (pathlib.Path(sysconfig.get_paths()["include"]) / "Python.h").exists()


NEEDS = [
    Need(
        "C compiler",
        "gcc libc6-dev",
        "12",
        "core",
        "builds the core and the native half of each binding",
        compiler("gcc"),
    ),
    Need(
        "Meson",
        "meson",
        "1.0",
        "core",
        "describes the build of the core and its tests",
        program("1.0", "meson", "--version"),
    ),
    Need(
        "Ninja",
        "ninja-build",
        "1.10",
        "core",
        "runs the build that Meson describes",
        program("1.10", "ninja", "--version"),
    ),
    Need(
        "pkg-config",
        "pkg-config",
        "0.29",
        "core",
        "finds OpenSSL, Criterion and tendon itself",
        program("0.29", "pkg-config", "--version"),
    ),
    Need("OpenSSL", "libssl-dev", "3.0", "core", "TLS in the core", library("openssl", "3.0")),
    Need(
        "openssl command",
        "openssl",
        "3.0",
        "servers",
        "makes the throw-away certificates of the TLS servers",
        lambda: shutil.which("openssl") is not None
        and version_in((output_of(["openssl", "version"]) or "")) >= (3, 0),
    ),
    Need(
        "Redis",
        "redis-server",
        "7.0",
        "redis",
        "the real servers of tests and demo; its own service is not started",
        lambda: version_in((output_of(["redis-server", "--version"]) or "").partition("v=")[2])
        >= (7, 0),
    ),
    Need(
        "Valkey",
        "valkey-server",
        "8.0",
        "valkey",
        "the same servers with `--engine valkey`",
        lambda: version_in((output_of(["valkey-server", "--version"]) or "").partition("v=")[2])
        >= (8, 0),
        BACKPORTS,
    ),
    Need(
        "Criterion",
        "libcriterion-dev",
        "2.4",
        "tests",
        "the C unit and integration tests are written with it",
        library("criterion", "2.4"),
    ),
    Need(
        "C++ compiler",
        "g++",
        "12",
        "tests",
        "proves that each public header compiles as C++",
        compiler("g++"),
    ),
    Need(
        "Valgrind",
        "valgrind",
        "3.19",
        "tests",
        "shows that the C example leaks nothing, counts instructions",
        program("3.19", "valgrind", "--version"),
    ),
    Need(
        "abigail",
        "abigail-tools",
        "2.2",
        "tests",
        "compares the ABI of libtendon.so with the committed one",
        program("2.2", "abidw", "--version"),
    ),
    Need(
        "pip",
        "python3-pip python3-venv",
        "",
        "bindings bench",
        "fetches, at named versions and into build/, the peers that are measured against and mypy",
        pip_usable,
    ),
    Need(
        "redis-benchmark",
        "redis-tools",
        "7.0",
        "bench",
        "a reference line in the measurements",
        program("7.0", "redis-benchmark", "--version"),
    ),
    Need(
        "Valgrind for counting",
        "valgrind",
        "3.19",
        "bench",
        "counts instructions of the engine's paths",
        program("3.19", "valgrind", "--version"),
    ),
    Need(
        "CA certificates",
        "ca-certificates",
        "",
        "bindings bench",
        "lets npm, Maven and Go verify the places they fetch from",
        lambda: os.path.exists("/etc/ssl/certs/ca-certificates.crt"),
    ),
    Need(
        "Python headers",
        "python3-dev",
        "3.9",
        "bindings",
        "the Python binding's small native helper",
        python_headers,
    ),
    Need(
        "Node",
        "nodejs",
        "18",
        "bindings",
        "runs the Node binding",
        program("18", "node", "--version"),
    ),
    Need(
        "Node headers",
        "libnode-dev",
        "18",
        "bindings",
        "node_api.h and uv.h for the Node addon",
        node_headers,
    ),
    Need(
        "npm",
        "npm",
        "9",
        "bindings",
        "packs the Node binding and checks its types",
        program("8", "npm", "--version"),
    ),
    Need(
        "JDK",
        "openjdk-17-jdk-headless",
        "17",
        "bindings",
        "builds and runs the Java binding",
        program("17", "javac", "-version"),
    ),
    Need(
        "Maven",
        "maven",
        "3.8",
        "bindings",
        "the package file of the Java binding is a pom.xml",
        lambda: version_in((output_of(["mvn", "--version"]) or "").partition("Maven ")[2])
        >= (3, 6),
    ),
    Need(
        "Go",
        "golang-go",
        "1.24",
        "bindings",
        "builds the Go binding; an older Go from 1.21 on fetches 1.24 by itself as a module",
        go_usable,
        BACKPORTS,
    ),
    Need(
        "Clang",
        "clang",
        "14",
        "check",
        "the second compiler that the core must build with, and the fuzzer's",
        compiler("clang"),
    ),
    Need(
        "Clang run-time",
        "libclang-rt-14-dev",
        "14",
        "check",
        "sanitizers and libFuzzer under clang",
        clang_runtime,
    ),
    Need(
        "clang-format",
        "clang-format",
        "14",
        "check",
        "decides how C is laid out",
        program("14", "clang-format", "--version"),
    ),
]

GROUP_USE = [
    ("core", "to build the core: every command"),
    ("servers", "for any test server"),
    ("redis", "for test servers, unless `--engine valkey`"),
    ("valkey", "only with `--engine valkey`"),
    ("tests", "`./dev test`, `./dev check`"),
    ("bindings", "`./dev demo`, `./dev test`"),
    ("check", "`./dev check`, `./dev test`, `./dev fuzz`, `./dev fmt`"),
    ("bench", "only `./dev bench`, never `./dev test`"),
]


INTRODUCTION = """\
# What tendon needs, and why

Printed from `tools/dev/needs.py` by `./dev gen`; edit there. The library itself needs only the C
library and OpenSSL 3. Everything else builds, tests or shows it.

`./dev` installs what is missing from Debian 12 by `apt-get install --no-install-recommends`, after
saying what and why. What the machine already has in at least the version named here is used as it
is and never replaced. Packages are pinned to the release and to a minimum version, not to an exact
one, so that Debian's security updates reach them. For the suite `bookworm-backports`, an apt source
is added with the address of the machine's own Debian source when none is configured; apt takes
nothing else from it.

`./dev` itself needs `python3` 3.9 or newer (standard library only) and installs it first when it is
missing.
"""

REGISTRIES = """
## From language registries

No run-time dependency of any binding. Maven fetches its own plugins and JUnit, npm what a binding's
`package.json` lists for development (exact versions: the type tests are compiled against ioredis'
own declarations), Go its toolchain when it is older than 1.24, pip the mypy of
`bindings/python/run-tests`, which checks the types of the package and of its examples; each by its
ordinary client with the configuration the machine has.

The conformance suite fetches the mirrored clients, redis-py, ioredis, Jedis and go-redis, at the
exact versions named in `tests/conformance/drivers`, into `build/`; one that cannot be had is left
out and named.

`./dev bench` fetches the clients it measures against the same way, at the versions named in
`bench/drivers`, into `build/`. hiredis and libvalkey are the sources inside their Python wrappers,
because Debian 12 has no release of them with TLS.
"""


def markdown():
    """The text of docs/dependencies.md."""
    lines = INTRODUCTION.splitlines()
    for group, use in GROUP_USE:
        lines += [
            "",
            f"## {group}: {use}",
            "",
            "| need | Debian packages | from | at least | reason |",
            "|---|---|---|---|---|",
        ]
        for need in NEEDS:
            if group in need.groups:
                packages = ", ".join(f"`{name}`" for name in need.packages)
                lines.append(
                    f"| {need.name} | {packages} | {need.suite} | {need.minimum or 'any'} "
                    f"| {need.reason} |"
                )
    lines += REGISTRIES.splitlines()
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(markdown())
