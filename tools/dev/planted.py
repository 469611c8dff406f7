"""Plants classic defects in the engine, one at a time, and looks whether the simulated worlds find
them.

A defect is a patch in tests/sim/bugs against lib/; nothing of it is in the product. The patched
file is compiled with the command that compiled the original and linked in front of the library, so
that everything else is the engine as it is.
"""

import concurrent.futures
import json
import os
import re
import shlex
import shutil
import subprocess

import builds
import console
import simulation

FOLDER = console.ROOT / "tests" / "sim" / "bugs"
# Worlds that a defect may take to be found.
WORLDS = 2000
SECONDS = 120


class Planted:
    """One defect: its patch, what it does, and how it was found."""

    def __init__(self, path):
        self.name = path.stem
        text = path.read_text()
        self.head, _, self.diff = text.partition("\n\n")
        self.found = ""
        self.problem = ""


def hunks(diff):
    """Yields (file, old text, new text) of every hunk of a unified diff."""
    name, old, new = None, [], []
    for line in diff.splitlines(keepends=True) + ["@@"]:
        if line.startswith(("@@", "--- ")) and old + new:
            yield name, "".join(old), "".join(new)
            old, new = [], []
        if line.startswith("+++ "):
            name = line[4:].strip().removeprefix("b/")
        elif line.startswith(" "):
            old.append(line[1:])
            new.append(line[1:])
        elif line.startswith("-") and not line.startswith("--- "):
            old.append(line[1:])
        elif line.startswith("+"):
            new.append(line[1:])


def plant(bug, folder):
    """Writes the patched files. A hunk is found by its text, wherever it has moved to; exactly one
    place must fit. Returns [(name in the repository, patched copy)].
    """
    texts = {}
    for name, old, new in hunks(bug.diff):
        text = texts.get(name) or (console.ROOT / name).read_text()
        if text.count(old) != 1:
            raise console.Failure(f"its patch fits {text.count(old)} places of {name}, not one")
        texts[name] = text.replace(old, new)
    copies = []
    for name, text in texts.items():
        copy = folder / name.replace("/", "_")
        copy.write_text(text)
        copies.append((name, copy))
    if not copies:
        raise console.Failure("its patch changes nothing")
    return copies


def commands(build):
    """How every file was compiled, by its path."""
    entries = json.loads((build / "compile_commands.json").read_text())
    return {
        os.path.normpath(os.path.join(entry["directory"], entry["file"])): entry
        for entry in entries
        if "libtendon_core" in entry.get("output", entry["command"])
    }


def compile_copy(build, name, copy, how):
    """Compiles a patched file as the original was; headers beside it are found where they are."""
    entry = how[str(console.ROOT / name)]
    words = shlex.split(entry["command"])
    output = copy.with_suffix(".o")
    words[words.index("-o") + 1] = str(output)
    words[words.index("-c") + 1] = str(copy)
    words += ["-O1", f"-I{(console.ROOT / name).parent}", "-Wno-error"]
    words = [word for word in words if word not in ("-MD", "-MQ", "-MF")]
    words = [word for word in words if not word.endswith((".c.o", ".c.o.d"))]
    run_quietly(words, build)
    return output


def run_quietly(words, place):
    result = subprocess.run(
        [str(word) for word in words],
        cwd=place,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if result.returncode:
        raise console.Failure(f"it does not compile: {result.stdout[-800:]}")


def link(build, objects, output):
    worlds = sorted((build / "tests" / "sim" / "sim.p").glob("*.o"))
    library = build / "lib" / "libtendon_core.a"
    compiler = shlex.split(os.environ.get("CC", "gcc"))
    run_quietly([*compiler, "-o", output, *worlds, *objects, library, "-lpthread"], build)


def hunt(bug, build, how):
    """Builds the engine with the defect and runs worlds until one fails."""
    folder = build / "planted" / bug.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        objects = [compile_copy(build, name, copy, how) for name, copy in plant(bug, folder)]
        program = folder / "sim"
        link(build, objects, program)
        words = [str(program), "--worlds", str(WORLDS), "--seconds", str(SECONDS)]
        words += ["--failures", "1"]
        result = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=SECONDS + simulation.GRACE_SECONDS,
        )
    except console.Failure as failure:
        bug.problem = str(failure)
        return bug
    except subprocess.TimeoutExpired:
        bug.found = "a world that never ends"
        return bug
    said = re.findall(r"^seed (\d+): (.*)$", result.stdout, re.MULTILINE)
    died = re.findall(r"^sim: (signal \d+) in the world of seed (\d+)", result.stdout, re.MULTILINE)
    if said:
        bug.found = f"seed {said[-1][0]}: {said[-1][1]}"
    elif died:
        bug.found = f"seed {died[-1][1]}: {died[-1][0]}"
    elif result.returncode:
        bug.found = f"exit code {result.returncode}"
    else:
        bug.problem = f"{simulation.worlds_of(result.stdout)} worlds did not find it"
    return bug


def run(only=None):
    """Hunts every defect. Returns (found, not found)."""
    build = builds.folder("test")
    how = commands(build)
    bugs = [Planted(path) for path in sorted(FOLDER.glob("*.patch"))]
    bugs = [bug for bug in bugs if not only or only in bug.name]
    good = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as workers:
        for bug in workers.map(lambda bug: hunt(bug, build, how), bugs):
            good += not bug.problem
            outcome = f"NOT FOUND: {bug.problem}" if bug.problem else bug.found
            print(f"{bug.name}: {outcome}", flush=True)
    return good, len(bugs) - good
