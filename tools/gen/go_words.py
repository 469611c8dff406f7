"""Turns the words of what is sent, as spec/surface/go.txt has them, into Go."""

import re

SIMPLE = {"string", "any", "bool", "float64", "float32", "[]byte", "int", "int8", "int64", "uint64"}
UNITS = {
    "s": "wholeSeconds({})", "ms": "wholeMillis({})", "unix": "{}.Unix()",
    "unixms": "{}.UnixMilli()", "lower": "strings.ToLower({})",
}  # fmt: skip
MANY = re.compile(r"(?:\[\]|\.\.\.)(.+)")


class Words:
    """What is sent, seen from a method or a struct; `scope`: name -> (expression, type)."""

    def __init__(self, structs, scope, onto="args"):
        self.structs, self.scope, self.onto = structs, scope, onto
        self.lines, self.simple, self.imports = [], [], set()

    def flush(self):
        if self.simple:
            self.lines.append(f"{self.onto} = append({self.onto}, {', '.join(self.simple)})")
            self.simple = []

    def statement(self, text):
        self.flush()
        self.lines += text if isinstance(text, list) else [text]

    def call(self, function, *arguments):
        self.statement(f"{self.onto} = {function}({', '.join([self.onto, *arguments])})")

    def add(self, word):
        if word.startswith("{"):
            helper, *names = word[1:-1].split()
            self.call(f"append{helper[0].upper()}{helper[1:]}", *(self.name(n) for n in names))
        elif word.startswith("["):
            self.group(word[1:-1].split())
        elif "?" in word:
            self.choice(word.split("/"))
        elif "|" in word:
            self.default(*word.split("|"))
        elif word.startswith("#"):
            self.simple.append(f"len({self.name(word[1:])})")
        elif ":" in word:
            self.simple.append(self.converted(*word.split(":")))
        elif word in self.scope:
            self.value(*self.scope[word])
        else:
            self.simple.append(f'"{word.lower()}"')

    def name(self, name):
        """What a name stands for; a word in upper case stands for itself."""
        if name in self.scope:
            return self.scope[name][0]
        return f'"{name.lower()}"' if name.isupper() else name

    def converted(self, name, unit):
        if unit == "lower":
            self.imports.add("strings")
        return UNITS[unit].format(self.name(name))

    def value(self, expression, kind):
        many = MANY.fullmatch(kind)
        if kind in SIMPLE:
            self.simple.append(expression)
        elif kind.lstrip("*") in self.structs:
            self.statement(f"{self.onto} = {expression}.appendTo({self.onto})")
        elif many and many[1] == "any":
            self.call("appendArgs", expression)
        elif many and many[1] in SIMPLE:
            self.call("appendList", expression)
        else:
            self.simple.append(f"string({expression})")  # a type of its own, made of string

    def group(self, words):
        """Words that are sent only when one of the names among them has a value."""
        names = [word.lstrip("+").split(":")[0] for word in words]
        tests = [self.has_value(word) for word, name in zip(words, names) if name in self.scope]
        inner = Words(self.structs, self.scope, self.onto)
        for word in words:
            inner.add(word.lstrip("+"))
        inner.flush()
        body = [f"\t{line}" for line in inner.lines]
        self.statement([f"if {' || '.join(tests)} {{", *body, "}"])

    def has_value(self, word):
        expression, kind = self.scope[word.lstrip("+").split(":")[0]]
        if word.startswith("+"):
            return f"{expression} > 0"
        if kind.startswith("["):
            return f"len({expression}) > 0"
        if kind == "Time":
            return f"!{expression}.IsZero()"
        zero = {"any": "nil", "Duration": "0"}.get(kind)
        if zero is None:
            zero = "0" if re.match("u?int|float", kind) else '""'
        return f"{expression} != {zero}"

    def choice(self, branches):
        lines = []
        for index, branch in enumerate(branches):
            name, word = branch.split("?")
            lines.append(("} else if " if index else "if ") + self.name(name) + " {")
            lines.append(f'\t{self.onto} = append({self.onto}, "{word.lower()}")')
        self.statement([*lines, "}"])

    def default(self, name, word):
        expression = self.name(name)
        self.simple.append(f'textOr({expression}, "{word.lower()}")')
