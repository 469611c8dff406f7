"""Frames and values on the wire of the conformance machine, as ../../PROTOCOL.md has them."""


def read(stream):
    """The next frame: a list of byte strings. EOFError at the end of the stream."""
    return [_word(stream) for _ in range(_number(stream))]


def _number(stream):
    line = stream.readline()
    if not line:
        raise EOFError
    return int(line)


def _word(stream):
    return stream.read(_number(stream) + 1)[:-1]


def write(stream, frames):
    parts = []
    for words in frames:
        parts.append(b"%d\n" % len(words))
        for word in words:
            parts += [b"%d\n" % len(word), word, b"\n"]
    stream.write(b"".join(parts))
    stream.flush()


def result(thread, index, value, module):
    """The frame that reports a value; module is the client library, whose errors have codes."""
    words = [b"result", b"%d" % thread, b"%d" % index]
    _add(words, value, module)
    return words


def _add(words, value, module):
    if value is None:
        words.append(b"_")
    elif isinstance(value, bool):
        words.append(b"T" if value else b"F")
    elif isinstance(value, int):
        words.append(b":%d" % value)
    elif isinstance(value, float):
        words.append(b"," + repr(value).encode())
    elif isinstance(value, (bytes, str)):
        words.append(b"$" + (value if isinstance(value, bytes) else _utf8(value)))
    elif isinstance(value, (list, tuple)):
        _add_all(words, b"*", value, value, module)
    elif isinstance(value, (set, frozenset)):
        _add_all(words, b"~", value, value, module)
    elif isinstance(value, dict):
        each = [part for pair in value.items() for part in pair]
        _add_all(words, b"%", value, each, module)
    elif isinstance(value, BaseException):
        executed = getattr(value, "executed", "")  # what redis-py does not say
        details = (type(value).__name__, code_of(value, module), executed, str(value))
        words += [b"!", *map(_utf8, details)]
    else:
        words.append(b"?" + _utf8(type(value).__name__))


def _add_all(words, sign, container, each, module):
    words.append(sign + b"%d" % len(container))
    for part in each:
        _add(words, part, module)


def _utf8(text):
    return text.encode("utf-8", "surrogateescape")


def code_of(error, module):
    """The first word of what the server said, which the library may have cut off the text."""
    if not isinstance(error, module.ResponseError):
        return ""
    if getattr(error, "status_code", None):
        return error.status_code
    first = str(error).rpartition(" caused error: ")[2].partition(" ")[0]
    return first if first.isupper() else ""
