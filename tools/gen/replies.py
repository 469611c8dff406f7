"""Reads spec/commands/replies.json: the form that each command's reply has, whatever the wire.

The grammar of a form is explained in that file. Here it becomes nested tuples:
    ("string",) and so on for the plain types, ("any",), ("list", item), ("tuple", items, rest),
    ("map", key, value), ("record", {name: form}), ("set", item), ("no-set",), ("or", forms),
    ("named", name), ("maybe", form).
"""

import json
import re

PLAIN = ["status", "string", "integer", "double", "boolean", "verbatim", "any"]
WORD = re.compile(r"\s*(\.\.\.|set<|[\w-]+|.)")


class Reader:
    """A form's text, word by word."""

    def __init__(self, text, shapes):
        self.text, self.shapes = text, shapes
        self.words = WORD.findall(text)

    def peek(self):
        return self.words[0] if self.words else ""

    def take(self, wanted=None):
        word = self.words.pop(0) if self.words else ""
        if wanted and word != wanted:
            raise SystemExit(f"replies.json: {wanted!r} is missing in {self.text!r}")
        return word

    def form(self):
        """One form, or several of which the wire's kind chooses one."""
        forms = [self.one()]
        while self.peek() == "or":
            self.take()
            forms.append(self.one())
        return forms[0] if len(forms) == 1 else ("or", forms)

    def one(self):
        word = self.take()
        if word == "[":
            found = self.brackets()
        elif word == "{":
            found = self.braces()
        elif word == "set<":
            found = ("no-set",) if self.peek() == ">" else ("set", self.form())
            self.take(">")
        elif word in PLAIN:
            found = (word,)
        elif word in self.shapes:
            found = ("named", word)
        else:
            raise SystemExit(f"replies.json: {word!r} in {self.text!r} is no form")
        if self.peek() == "?":
            self.take()
            found = ("maybe", found)
        return found

    def brackets(self):
        items, rest = [], None
        while self.peek() != "]":
            form = self.form()
            if self.peek() == "...":
                self.take()
                rest = form
            else:
                items.append(form)
            if self.peek() != "]":
                self.take(",")
        self.take("]")
        if len(items) == 1 and rest is None:
            return ("list", items[0])
        return ("tuple", items, rest)

    def braces(self):
        key = self.take()
        self.take(":")
        if key in PLAIN:
            found = ("map", (key,), self.form())
            self.take("}")
            return found
        fields = {key: self.form()}
        while self.peek() == ",":
            self.take()
            key = self.take()
            self.take(":")
            fields[key] = self.form()
        self.take("}")
        return ("record", fields)


class When:
    """When a rule holds: a word among the arguments from an index on, or more than so many."""

    def __init__(self, text):
        self.word, self.start, self.more_than = "", 0, 0
        found = re.fullmatch(r"more than (\d+)|([A-Z]+) (?:from (\d+)|behind keys)", text)
        if text and not found:
            raise SystemExit(f"replies.json: {text!r} is no condition")
        if text:
            self.more_than = int(found[1] or 0)
            self.word, self.start = found[2] or "", int(found[3] or 0)


class Rule:
    def __init__(self, row, shapes):
        reader = Reader(row["reply"], shapes)
        self.form, self.text = reader.form(), row["reply"]
        if reader.words:
            raise SystemExit(f"replies.json: {reader.words} is left over in {row['reply']!r}")
        self.when = When(row.get("when", ""))
        self.row = row


class Replies:
    def __init__(self, root):
        content = json.loads((root / "spec/commands/replies.json").read_text())
        texts = content["shapes"]
        self.shapes = {name: Reader(text, texts).form() for name, text in texts.items()}
        self.commands = {
            name: [Rule(row, texts) for row in rows] for name, rows in content["commands"].items()
        }
        for name, rules in self.commands.items():
            if any(not rule.row.get("when") for rule in rules[:-1]) or rules[-1].row.get("when"):
                raise SystemExit(f"replies.json: only the last rule of {name} has no condition")

    def resolve(self, form):
        return self.shapes[form[1]] if form[0] == "named" else form
