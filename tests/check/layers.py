"""Who may include whom, and what the sans-IO layers may not touch. The picture is in
docs/architecture.md.
"""

import re

import common

# module -> the modules it may include, itself left out. Data tables (generated) are below
# everything but base.
MAY_INCLUDE = {
    "base": {"generated"},
    "generated": {"base"},
    "resp": {"base", "generated"},
    "conn": {"base", "generated", "resp"},
    "cluster": {"base", "generated", "resp"},
    "pool": {"base", "generated", "resp", "conn"},
    "net": {"base", "generated"},
    "client": {"base", "generated", "resp", "conn", "cluster", "pool", "net"},
    "api": {"base", "generated", "resp", "conn", "cluster", "pool", "net", "client"},
}
SANS_IO = {"resp", "conn", "cluster", "pool"}
# Of module client the engine is sans-IO as well: everything but the world it is driven in.
CLIENT_WORLD = {
    "client.c",
    "client.h",
    "direct.c",
    "driver.c",
    "host.c",
    "io.c",
    "io_dial.c",
    "io_lend.c",
    "queue.c",
    "queue.h",
    "wait.c",
    "wait.h",
}
IO_HEADERS = re.compile(
    r"^(sys/(socket|epoll|event|select|poll|time|timerfd|eventfd|un|uio|ioctl|random)"
    r"|netdb|netinet/.*"
    r"|arpa/inet|poll|pthread|threads|semaphore|time|unistd|fcntl|signal|dirent)\.h$"
)
IO_CALLS = re.compile(
    r"\b(getenv|secure_getenv|clock_gettime|gettimeofday|time|sleep|usleep|nanosleep"
    r"|socket|recv|send|poll"
    r"|getaddrinfo|fopen|open|getrandom|rand|random|pthread_\w+)\s*\("
)
TLS_HEADERS = re.compile(r"^(openssl|mbedtls|psa)/")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+([<"])([^>"]+)[>"]', re.MULTILINE)


def without_comments(text):
    """Comments and string contents become blanks, line breaks stay, so that prose is not taken for
    code.
    """

    def blank(found):
        word = found.group(0)
        if word.startswith(("/*", "//")):
            return re.sub(r"[^\n]", " ", word)
        return word[0] + " " * (len(word) - 2) + word[-1]

    return re.sub(
        r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
        blank,
        text,
        flags=re.DOTALL,
    )


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def is_sans_io(path, module):
    return module in SANS_IO or (module == "client" and path.name not in CLIENT_WORLD)


def include_findings(path, module, text):
    inside = path.relative_to(common.ROOT / "lib").parts
    for found in INCLUDE.finditer(text):
        where = f"{common.short(path)}:{line_of(text, found.start())}"
        kind, name = found.groups()
        if kind == '"':
            other = name.split("/")[0]
            if other not in MAY_INCLUDE or ".." in name:
                yield f'{where}: "{name}" must be named from lib/, as "module/name.h"'
            elif other != module and other not in MAY_INCLUDE[module]:
                yield f"{where}: {module} may not include {other} ({name})"
        elif TLS_HEADERS.match(name) and inside[:2] != ("net", "tls"):
            yield f"{where}: <{name}> belongs in lib/net/tls only"
        elif is_sans_io(path, module) and IO_HEADERS.match(name):
            yield f"{where}: {module} is sans-IO and may not include <{name}>"


def library_findings(path):
    text = path.read_text()
    module = path.relative_to(common.ROOT / "lib").parts[0]
    if module not in MAY_INCLUDE:
        yield f"{common.short(path)}: lib/{module} is not a module that tests/check/layers.py knows"
        return
    yield from include_findings(path, module, text)
    if is_sans_io(path, module):
        code = without_comments(text)
        for found in IO_CALLS.finditer(code):
            where = f"{common.short(path)}:{line_of(code, found.start())}"
            # A member of a table (`clock->time(…)`) or a declaration of our own name is not the C
            # library's.
            if not re.search(r"(->|\.)\s*$", code[: found.start()]):
                yield f"{where}: {module} is sans-IO and may not call {found.group(1)}()"


def outside_findings(path):
    """Bindings, examples and benchmarks of bindings see the public headers only."""
    text = path.read_text()
    for found in INCLUDE.finditer(text):
        kind, name = found.groups()
        inner = name.split("/")[0] in MAY_INCLUDE and "/" in name
        if inner or "lib/" in name or (kind == '"' and "tendon/" in name):
            where = f"{common.short(path)}:{line_of(text, found.start())}"
            yield f'{where}: bindings and examples include <tendon/…> only, not "{name}"'


def main():
    findings = []
    library = common.files(["lib"], (".c", ".h"))
    outside = common.files(["bindings", "examples"], (".c", ".h", ".go"))
    for path in library:
        findings += library_findings(path)
    for path in outside:
        findings += outside_findings(path)
    common.finish("layers", findings, len(library) + len(outside))


if __name__ == "__main__":
    main()
