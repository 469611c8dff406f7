"""C is laid out as clang-format lays it out. Skipped where clang-format is missing; ./dev fmt
repairs.
"""

import shutil
import sys

import common

sys.path.insert(0, str(common.ROOT / "tools" / "dev"))

import formatting  # noqa: E402

if shutil.which("clang-format") is None:
    print("format: clang-format is not installed")
    sys.exit(77)
sys.exit(0 if formatting.run(check=True) else 1)
