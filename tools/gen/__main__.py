"""The generator: `python3 tools/gen` writes what comes from spec/, `--check` fails if stale."""

import argparse
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import commands  # noqa: E402
import differences  # noqa: E402
import errors  # noqa: E402
import exports  # noqa: E402
import go  # noqa: E402
import java  # noqa: E402
import matrix  # noqa: E402
import node  # noqa: E402
import options  # noqa: E402
import python  # noqa: E402
import reply_calls  # noqa: E402

MODULES = [differences, commands, errors, exports, options, reply_calls, go, java, node, python]
MODULES += [matrix]  # last: it counts what the others have written


def main():
    parser = argparse.ArgumentParser(prog="tools/gen", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when stale")
    arguments = parser.parse_args()
    stale = []
    for module in MODULES:
        for name, text in module.outputs(ROOT).items():
            path = ROOT / name
            if path.exists() and path.read_text() == text:
                continue
            stale.append(name)
            if not arguments.check:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
    for name in stale:
        print(f"{'stale' if arguments.check else 'wrote'} {name}")
    return 1 if arguments.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
