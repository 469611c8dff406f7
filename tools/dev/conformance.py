"""Builds the drivers of the conformance suite and runs its programs."""

import json
import os
import sys

import builds
import console

SUITE = console.ROOT / "tests" / "conformance"


def build_drivers(env):
    """Builds what the drivers need; a peer that cannot be fetched is left out by its build."""
    for path in sorted(SUITE.glob("drivers/*/driver.json")):
        for program in json.loads(path.read_text()).get("build", []):
            name = f"conformance driver {path.parent.name}"
            console.must(name, [SUITE / program], cwd=SUITE, env=env)


def environment(servers_folder):
    return dict(os.environ, **builds.environment("test", "conformance", servers_folder))


def command(arguments):
    return [sys.executable, SUITE / "run.py", *arguments]
