"""The build directories under build/, and the environment that every runner gets."""

import os
import re
import shutil
import sys

import console
import needs

# What distinguishes each directory. `test` keeps assertions, because Meson drops them in release
# builds only.
OPTIONS = {
    "release": ["--buildtype=release", "-Dc_link_args=-s"],
    # As release, but profilers can name what they see.
    "bench": ["--buildtype=release", "-Dbench=true", "-Dexamples=false"],
    "test": ["--buildtype=debugoptimized", "-Dtests=true"],
    "asan": [
        "--buildtype=debug",
        "-Doptimization=1",
        "-Dtests=true",
        "-Db_sanitize=address,undefined",
        "-Db_lundef=false",
    ],
    "tsan": ["--buildtype=debugoptimized", "-Dtests=true", "-Db_sanitize=thread"],
    # gcc warns about the flow of values only when it optimises; clang warns all the same without.
    "check-gcc": ["--buildtype=debugoptimized", "-Dtests=true", "-Dwerror=true"],
    "check-clang": ["--buildtype=debug", "-Dtests=true", "-Dwerror=true"],
    "fuzz": [
        "--buildtype=debugoptimized",
        "-Dtests=true",
        "-Dfuzz=true",
        "-Dc_args=-fsanitize=fuzzer-no-link",
        "-Db_sanitize=address,undefined",
        "-Db_lundef=false",
    ],
}
# What of a directory is built, where that is not everything.
TARGETS = {"fuzz": ["fuzz-targets"], "tsan": ["stress-programs"]}
COMPILERS = {"check-clang": "clang", "fuzz": "clang"}
SANITIZER_ENVIRONMENT = {
    "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


def folder(name):
    return console.BUILD / name


def build(name, show_command=False, targets=None):
    """Configures a build directory when it is new or its options changed, then builds it, or only
    some targets. Raises Failure.
    """
    place = folder(name)
    stamp = place / "dev-options"
    wanted = " ".join(OPTIONS[name] + [COMPILERS.get(name, "gcc")])
    env = dict(os.environ, CC=COMPILERS.get(name, "gcc"))
    if not (place / "build.ninja").exists() or not stamp.exists() or stamp.read_text() != wanted:
        shutil.rmtree(place, ignore_errors=True)
        console.must(f"configure {name}", ["meson", "setup", place, *OPTIONS[name]], env=env)
        stamp.write_text(wanted)
    wanted_targets = targets or TARGETS.get(name, [])
    console.must(
        f"build {name}", ["ninja", "-C", place, *wanted_targets], env=env, show=show_command
    )
    write_pkg_config(place)
    return place


def version():
    text = (console.ROOT / "include" / "tendon" / "version.h").read_text()
    return re.search(r'TENDON_VERSION "([^"]+)"', text).group(1)


def write_pkg_config(place):
    """A tendon.pc for what is not installed. Meson's own one leaves out the public headers."""
    folder_of_pc = place / "pkgconfig"
    folder_of_pc.mkdir(exist_ok=True)
    (folder_of_pc / "tendon.pc").write_text(
        "Name: tendon\n"
        f"Description: libtendon as built in {place}\n"
        f"Version: {version()}\n"
        f"Cflags: -I{console.ROOT}/include\n"
        f"Libs: -L{place}/lib -ltendon\n"
    )


def environment(build_name, runner, servers_folder):
    """The environment of docs/testing.md for one runner."""
    place = folder(build_name)
    out = console.BUILD / "bindings" / f"{runner}-{build_name}"
    out.mkdir(parents=True, exist_ok=True)
    ours = {
        "TENDON_ROOT": console.ROOT,
        "TENDON_BUILD": place,
        "TENDON_LIB": place / "lib" / "libtendon.so",
        "TENDON_OUT": out,
        "TENDON_SERVERS": servers_folder / "servers.json",
        "TENDON_PYTHON": sys.executable,
        "TENDON_NODE_INCLUDE": needs.node_include() or "",
        "PKG_CONFIG_PATH": joined(place / "pkgconfig", "PKG_CONFIG_PATH"),
        "LD_LIBRARY_PATH": joined(place / "lib", "LD_LIBRARY_PATH"),
    }
    return {name: str(value) for name, value in ours.items()}


def joined(first, variable):
    rest = os.environ.get(variable)
    return f"{first}:{rest}" if rest else str(first)
