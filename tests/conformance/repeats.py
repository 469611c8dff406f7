"""What the core may send again after a lost reply, as the specification of its commands has it."""

import json
import pathlib

SPEC = pathlib.Path(__file__).resolve().parents[2] / "spec" / "commands" / "overlay.json"
OVERLAY = json.loads(SPEC.read_text())
ALWAYS = {name.encode() for name in OVERLAY["idempotent"]}
WHEN = {name.encode(): rule for name, rule in OVERLAY["idempotent_when"].items()}


def allows(rule, words):
    """Whether the arguments fulfil the condition."""
    options = [word.upper() for word in words[rule["from"] :]]
    if "only" in rule:
        known = {word.encode() for word in rule["only"]}
        return all(word in known or word.isdigit() for word in options)
    return not any(word.encode() in options for word in rule["without"])


def is_idempotent(words):
    name = words[0].upper()
    return name in ALWAYS or (name in WHEN and allows(WHEN[name], words))


def is_idempotent_together(commands, keys_of):
    """Whether a transaction is: none of its commands may see what another has done."""
    seen = set()
    for words in commands:
        keys = set(keys_of(words) or [])
        if not is_idempotent(words) or keys & seen or (not keys and len(commands) > 1):
            return False
        seen |= keys
    return True
