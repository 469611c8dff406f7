"""Shows that the suite can fail: a copy of the Python binding with one deliberate deviation after
the other, each of which must be found.
"""

import os
import shutil

from driver import BUILD, HERE

SOURCE = HERE.parents[1] / "bindings" / "python" / "tendon"
# Name -> (file, text, what stands there instead), once or more.
DEVIATIONS = {
    "a wrong conversion": [
        ("_tables.py", '"ZSCORE": "number"', '"ZSCORE": "whole"'),
        (
            "_expressions.py",
            "Cast = Callable",
            "def whole(value, **_options):\n    return value if value is None else value // 1\n\n\n"
            "Cast = Callable",
        ),
    ],
    "a swallowed error": [
        (
            "_pipeline.py",
            "                elif raise_on_error:\n",
            "                elif not raise_on_error:\n                    values[index] = None\n"
            "                elif raise_on_error:\n",
        )
    ],
    "a lost executed": [
        ("_failures.py", 'error.executed = "no" if code in REFUSALS else "unknown"', "pass")
    ],
    "a reordered batch": [
        (
            "_pipeline.py",
            "commands: List[Command] = [args for args, _ in stack]",
            "commands: List[Command] = [args for args, _ in reversed(stack)]",
        )
    ],
    "a leak of WATCH": [
        (
            "pipeline.py",
            'return bool(self.execute_command("UNWATCH")) if self.watching else True',
            'self._client.__dict__["leaked"], self._lease = self._lease, None\n'
            "        self.watching = False\n        return True",
        ),
        (
            "pipeline.py",
            "            plan = self._plan(stack)\n            if self._lease is None:\n",
            "            plan = self._plan(stack)\n            if self._lease is None:\n"
            '                self._lease = self._client.__dict__.pop("leaked", None)\n'
            "            if self._lease is None:\n",
        ),
    ],
}


def plant(name):
    """The environment variables with which the Python driver uses the deviating copy."""
    place = BUILD / "deviation"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(SOURCE, place / "tendon", ignore=shutil.ignore_patterns("__pycache__"))
    for file, text, instead in DEVIATIONS[name]:
        path = place / "tendon" / file
        source = path.read_text()
        if text not in source:
            raise SystemExit(f"{name}: {file} has changed; this is not there any more: {text}")
        path.write_text(source.replace(text, instead, 1))
    return dict(os.environ, PYTHONPATH=str(place), PYTHONDONTWRITEBYTECODE="1")
