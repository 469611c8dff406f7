"""Each public header compiles alone, as strict C11 and as C++, with each compiler found."""

import re
import shutil
import subprocess

import common

STRICT = [
    "-pedantic",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wundef",
    "-fsyntax-only",
    "-I",
    str(common.ROOT / "include"),
]
COMPILERS = [
    ("gcc", ["-std=c11", "-x", "c"]),
    ("clang", ["-std=c11", "-x", "c"]),
    ("g++", ["-std=c++11", "-x", "c++"]),
    ("clang++", ["-std=c++17", "-x", "c++"]),
]
# Bindings read these headers with small parsers, so they include little.
ALLOWED = re.compile(r"<(tendon/\w+\.h|stddef\.h|stdint\.h|stdbool\.h)>")


def main():
    findings = []
    headers = common.files(["include"], (".h",))
    compilers = [(name, flags) for name, flags in COMPILERS if shutil.which(name)]
    for path in headers:
        text = path.read_text()
        name = path.relative_to(common.ROOT / "include")
        for line in re.findall(r"(?m)^#\s*include\s+(\S+)", text):
            if not ALLOWED.fullmatch(line):
                findings.append(f"{common.short(path)}: may not include {line}")
        if 'extern "C"' not in text and re.search(
            r"\bTENDON_API\b(?! )", text.replace("define TENDON_API", "")
        ):
            findings.append(f'{common.short(path)}: declares functions without extern "C"')
        # Included twice, because a header without a guard fails only then.
        source = f"#include <{name}>\n#include <{name}>\nint tendon_header_check;\n".encode()
        for compiler, flags in compilers:
            done = subprocess.run(
                [compiler, *flags, *STRICT, "-"], input=source, stderr=subprocess.PIPE
            )
            if done.returncode != 0:
                findings.append(f"{name} with {compiler}:\n{done.stderr.decode(errors='replace')}")
    common.finish(
        f"headers with {', '.join(name for name, _ in compilers)}", findings, len(headers)
    )


if __name__ == "__main__":
    main()
