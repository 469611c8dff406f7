"""Writes the Go of the binding's results: the types that commands answer with, the structs in them,
and what decodes both."""

import re

from go_code import IRREGULAR, MAKERS, Writer, comment, declaration
from go_table import go_type, parameters
from go_words import Words

# Result types that are written by hand altogether.
BY_HAND = ["DurationCmd", "ScanCmd", "ZeroCopyStringCmd", "RawCmd", "RawWriteToCmd"]
EMBEDDED = {1: "valueCmd", 2: "pairCmd", 3: "tripleCmd"}
VALUES = {1: ["val"], 2: ["first", "second"], 3: ["first", "second", "third"]}
UNITS = {
    "s": "inUnits(time.Second)", "ms": "inUnits(time.Millisecond)",
    "us": "inUnits(time.Microsecond)", "unixms": "decodeUnixMillis",
}  # fmt: skip
DECODERS = {
    "string": "decodeText", "int64": "decodeInt", "float64": "decodeFloat", "bool": "decodeBool",
    "int": "decodeNumber[int]", "int8": "decodeNumber[int8]", "uint64": "decodeUint",
    "[]string": "decodeTexts", "[]int64": "decodeInts", "interface{}": "decodeValue",
    "[]interface{}": "decodeSlice", "map[string]string": "decodeMap", "time.Time": "decodeClock",
    "map[string]struct{}": "decodeStringSet",
}  # fmt: skip


def decoder(table, kind, how=""):
    """The Go function that decodes a type; `kind` as in the table."""
    if how:
        return UNITS.get(how, f"decode{how[0].upper()}{how[1:]}")
    if kind in DECODERS:
        return DECODERS[kind]
    if kind.startswith("[]"):
        inner = kind[2:]
        return f"decode{inner}s" if inner in table.pairs else f"listOf({decoder(table, inner)})"
    if kind.startswith("map[string]"):
        return f"mapOf({decoder(table, kind[len('map[string]') :])})"
    if kind.startswith("*"):
        return f"pointerTo({decoder(table, kind[1:])})"
    return f"decode{kind}"


def results(table):
    out = Writer()
    for result in table.results.values():
        made = f"{EMBEDDED[len(result.types)]}[{', '.join(result.types)}]"
        out.add(
            *comment(f"{result.name} is a command that answers with {result.about}."),
            f"type {result.name} struct {{",
            f"\t{made}",
            "}",
        )
        constructors(out, table, result)
        out.add(*reading(table, result))
    for name in [*table.results, *BY_HAND]:
        out.add(
            "// Clone copies the command; what its value points to is shared.",
            f"func (c *{name}) Clone() Cmder {{",
            "\tclone := *c",
            "\treturn &clone",
            "}",
        )
        out.add(
            "// GetCmdType names the type of the command.",
            f"func (c *{name}) GetCmdType() CmdType {{ return {kind_of(name)} }}",
        )
    kinds = [kind_of(name) for name in [*table.results, *BY_HAND, "MonitorCmd"]]
    kinds = [kind for index, kind in enumerate(kinds) if kind not in kinds[:index]]
    kinds[0] += " CmdType = iota"
    out.add("// The values of CmdType.", "const (", *(f"\t{kind}" for kind in kinds), ")")
    accessors(out, table)
    return out.text()


def constructors(out, table, result):
    """What makes the command for Process, and what makes it with an outcome for tests."""
    maker = f"{MAKERS[len(result.types)]}[{', '.join(result.types)}]"
    about = f"// New{result.name} makes a command for Process."
    if result.params:
        scope = {param.name: (param.name, param.type) for param in parameters(result.params)}
        words = Words(table.args, scope)
        for word in result.words:
            words.add(word)
        out.add(
            about,
            f"func New{result.name}(ctx context.Context, {result.params}) *{result.name} {{",
            f"\targs := []interface{{}}{{{', '.join(words.simple)}}}",
            f"\treturn &{result.name}{{{maker}(ctx, args)}}",
            "}",
        )
    elif result.name not in IRREGULAR:
        out.add(
            about,
            f"func New{result.name}(ctx context.Context, args ...interface{{}}) *{result.name} {{",
            f"\tcmd := &{result.name}{{}}",
            "\tcmd.begin(ctx, args)",
            "\treturn cmd",
            "}",
        )
    values = VALUES[len(result.types)]
    params = ", ".join(f"{name} {kind}" for name, kind in zip(values, result.types))
    out.add(
        f"// {result.constructor} makes a command that has its outcome already, for tests.",
        f"func {result.constructor}({params}, err error) *{result.name} {{",
        f"\tcmd := &{result.name}{{}}",
        f"\tcmd.{', cmd.'.join(values)}, cmd.err = {', '.join(values)}, err",
        "\treturn cmd",
        "}",
    )


def reading(table, result):
    head = f"func (c *{result.name}) readReply(tape core.Tape) error {{"
    if not result.places:
        decode = result.decoder or decoder(table, result.types[0])
        return [head, f"\treturn c.read(tape, {decode})", "}"]
    lines = [head, "\treturn eachElement(tape, 0, func(place, at int) (err error) {"]
    lines.append("\t\tswitch place {")
    for value, kind, place in zip(VALUES[len(result.types)], result.types, result.places):
        lines += [f"\t\tcase {place}:", f"\t\t\tc.{value}, err = {decoder(table, kind)}(tape, at)"]
    return [*lines, "\t\t}", "\t\treturn err", "\t})", "}"]


def kind_of(name):
    kind = name.removesuffix("Cmd") or "Generic"
    return "CmdType" + {"Raw": "Generic", "RawWriteTo": "Generic", "ZeroCopyString": "String"}.get(
        kind, kind
    )


def accessors(out, table):
    """The methods by which a StringCmd and a Cmd are read as something else."""
    for name, kind, function, *slices, about in table.accessors:
        out.add(
            f"// {name} parses the value as {about}.",
            f"func (c *StringCmd) {name}() ({kind}, error) {{ return parse(c, {function}) }}",
        )
        out.add(
            f"// {name} is the value as {about}; strings are parsed.",
            f"func (c *Cmd) {name}() ({kind}, error) {{ return convert(c, to{name}) }}",
        )
        if slices:
            out.add(
                f"// {name}Slice is the value, which must be a list, each element as {about}.",
                f"func (c *Cmd) {name}Slice() ([]{kind}, error) {{",
                f"\treturn convertEach(c, to{name})",
                "}",
            )


def reply_structs(table):
    out = Writer()
    for struct in table.replies.values():
        out.add(*declaration(struct))
        if struct.name in table.pairs:
            out.add(*pair_decoder(table, struct))
        elif struct.fields()[0].wire.startswith("="):
            out.add(*text_decoder(struct))
        else:
            out.add(*struct_decoder(table, struct))
    for name, (about, words) in table.flags.items():
        out.add(*comment(f"{name} says {about}."), f"type {name} uint64")
        flags(out, name, [word.partition(":") for word in words])
    return out.text()


def on_wire(struct):
    """(what is set, its decoder's type and how, names or places) of the fields that are sent."""
    for field in struct.fields():
        wire, _, how = field.wire.partition(":")
        if wire not in ("", "-"):
            yield field.name.removeprefix("."), go_type(field.type), how, wire


def struct_decoder(table, struct):
    fields = list(on_wire(struct))
    places = all(wire.rstrip("+").isdigit() for *_, wire in fields)
    each, key = ("eachElement", "place int") if places else ("eachField", "name string")
    lines = [
        f"func decode{struct.name}(tape core.Tape, i int) (v {struct.name}, err error) {{",
        f"\terr = {each}(tape, i, func({key}, at int) (err error) {{".replace(" int, at", ", at"),
        f"\t\tswitch {key.split()[0]} {{",
    ]
    for name, kind, how, wire in fields:
        if wire.endswith("+"):
            one = kind.removeprefix("[]")
            lines += ["\t\tdefault:", f"\t\t\tvar one {one}"]
            lines.append(f"\t\t\tone, err = {decoder(table, one, how)}(tape, at)")
            lines.append(f"\t\t\tv.{name} = append(v.{name}, one)")
            continue
        names = wire if places else ", ".join(f'"{name}"' for name in wire.split("|"))
        decode = decoder(table, kind, how)
        lines += [f"\t\tcase {names}:", f"\t\t\tv.{name}, err = {decode}(tape, at)"]
    return [*lines, "\t\t}", "\t\treturn err", "\t})", "\treturn v, err", "}"]


def pair_decoder(table, struct):
    """The decoder of a list of pairs."""
    fields = sorted(on_wire(struct), key=lambda field: field[3])
    first, second = (
        f"v.{name}, err = {decoder(table, kind, how)}" for name, kind, how, _ in fields
    )
    return [
        f"func decode{struct.name}s(tape core.Tape, i int) ([]{struct.name}, error) {{",
        f"\treturn pairsOf(tape, i, func(v *{struct.name}, first, second int) (err error) {{",
        f"\t\tif {first}(tape, first); err != nil {{",
        "\t\t\treturn err",
        "\t\t}",
        f"\t\t{second}(tape, second)",
        "\t\treturn err",
        "\t})",
        "}",
    ]


def text_decoder(struct):
    """The decoder of a reply that is a text of names and values."""
    lines = [
        f"func decode{struct.name}(tape core.Tape, i int) (v {struct.name}, err error) {{",
        "\terr = eachWord(tape, i, func(name, value string) error {",
        "\t\tswitch name {",
    ]
    for name, _, how, wire in on_wire(struct):
        scan = "scanSeconds" if how else "scanText"
        lines += [f'\t\tcase "{wire[1:]}":', f"\t\t\treturn {scan}(value, &v.{name})"]
    return [*lines, "\t\t}", "\t\treturn nil", "\t})", "\treturn v, err", "}"]


def flags(out, name, words):
    """The bits of a type, and by which letters a server shows them."""
    first, *rest = (f"\tClient{word}" for word, _, _ in words)
    out.add(f"// The values of {name}.", "const (", f"{first} {name} = 1 << iota", *rest, ")")
    letters = {}
    for word, _, shown in words:
        for letter in shown:
            letters.setdefault(letter, []).append(f"Client{word}")
    out.add(
        f"// lettersOf{name} are what a server shows.",
        f"var lettersOf{name} = map[rune]{name}{{",
        *(f"\t'{letter}': {' | '.join(bits)}," for letter, bits in letters.items()),
        "}",
    )


def predicates(table):
    """The functions that know an error of a server by how it begins."""
    out = Writer()
    for name, prefixes, about in table.predicates:
        tests = [f'HasErrorPrefix(err, "{prefix}")' for prefix in prefixes]
        joined = " ||\n\t\t".join(tests)
        out.add(
            *comment(f"{name} {about}."),
            f"func {name}(err error) bool {{",
            f"\treturn {joined}",
            "}",
        )
    return out.text()


def interface(table):
    """Cmdable, which has the commands of all groups."""
    groups = sorted(
        f"{group.name}Cmdable"
        for group in table.groups
        if group.receiver == "cmdable" and group.name[0].isupper()
    )
    out = Writer()
    out.add(
        "// Cmdable is everything that runs or queues commands.",
        "type Cmdable interface {",
        "\tPipeline() Pipeliner",
        "\tPipelined(ctx context.Context, fn func(Pipeliner) error) ([]Cmder, error)",
        "\tTxPipeline() Pipeliner",
        "\tTxPipelined(ctx context.Context, fn func(Pipeliner) error) ([]Cmder, error)",
        "",
        *(f"\t{name}" for name in groups),
        "}",
    )
    return out.text()
