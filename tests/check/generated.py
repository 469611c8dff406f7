"""Every generated file is what its generator writes today."""

import subprocess
import sys

import common

done = subprocess.run(
    [sys.executable, str(common.ROOT / "tools" / "dev"), "gen", "--check"], cwd=common.ROOT
)
if done.returncode != 0:
    print("generated: run ./dev gen and commit what it writes")
sys.exit(done.returncode)
