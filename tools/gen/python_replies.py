"""Writes Python's tables of what becomes of replies, from spec/surface/python-replies.txt."""

import pathlib

SOURCE = "spec/surface/python-replies.txt"
TABLES = "bindings/python/tendon/_tables.py"


def sections(root):
    """{section: {command: what}}, commands with a space."""
    found, what = {}, ""
    for line in (pathlib.Path(root) / SOURCE).read_text().splitlines():
        if line.startswith("== "):
            section = found[line.split()[1]] = {}
        elif line.strip() and not line.startswith("#"):
            if not line.startswith(" "):
                what, _, line = line.partition(": ")
            section.update({name.replace("|", " "): what for name in line.split()})
    return found


def outputs(root):
    text = f'"""What becomes of replies. Generated from {SOURCE}. Do not edit."""\n'
    for name, table in sections(root).items():
        text += f"\n{name.upper()} = {{\n"
        text += "".join(f'    "{command}": "{what}",\n' for command, what in table.items())
        text += "}\n"
    return {TABLES: text}
