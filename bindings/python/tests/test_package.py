"""The package can be built, although `build` is a script in its folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from importlib.util import find_spec

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


@unittest.skipIf(find_spec("setuptools") is None, "setuptools is not installed")
class PackageTest(unittest.TestCase):
    def test_setuptools_builds_every_module(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, "python")
            shutil.copytree(HERE, copy, ignore=shutil.ignore_patterns("__pycache__", "build-*"))
            made = subprocess.run(
                [sys.executable, "-c", "import setuptools; setuptools.setup()", "build"],
                cwd=copy,
                capture_output=True,
                text=True,
            )
            self.assertEqual(made.returncode, 0, made.stderr)
            built = os.path.join(copy, "build-package", "lib", "tendon")
            self.assertEqual(self.modules(built), self.modules(os.path.join(HERE, "tendon")))

    @staticmethod
    def modules(folder: str) -> set:
        return {
            os.path.relpath(os.path.join(where, name), folder)
            for where, _, names in os.walk(folder)
            for name in names
            if name.endswith(".py") or name == "py.typed"
        }
