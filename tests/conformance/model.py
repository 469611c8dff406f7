"""The model of keys and strings, and the whole model; model_base.py says what it promises."""

from model_base import (
    ALL,
    INT_MIN,
    LONG,
    NONE,
    OK,
    ONE,
    TWO,
    ANY,
    Base,
    Refused,
    Sorted,
    Text,
    Unknown,
    command,
    in_range,
    integer,
)
from model_values import Values


class Model(Values, Base):
    # Keys

    @command(ALL, -2, splits=True)
    def _del(self, *keys):
        return sum(self.forget(key) is not None for key in keys)

    @command(ALL, -2, splits=True)
    def _unlink(self, *keys):
        return self._del(*keys)

    @command(ALL, -2, splits=True)
    def _exists(self, *keys):
        return sum(key in self.data for key in keys)

    @command(ALL, -2, splits=True)
    def _touch(self, *keys):
        return self._exists(*keys)

    @command(ONE, 2)
    def _type(self, key):
        names = {Text: b"string", dict: b"hash", list: b"list", set: b"set", Sorted: b"zset"}
        return names[type(self.data[key])] if key in self.data else b"none"

    @command(ONE, -3)
    def _expire(self, key, time, *options):
        if options:
            raise Unknown()
        seconds = integer(time)
        if key not in self.data:
            return 0
        if seconds <= 0:
            self.forget(key)
        else:
            self.lifetimes[key] = True
        return 1

    @command(ONE, -3)
    def _pexpire(self, key, time, *options):
        reply = self._expire(key, time, *options)
        if key in self.data and integer(time) < LONG:  # the program sleeps longer, right now
            self.forget(key)
        return reply

    @command(ONE, 2)
    def _persist(self, key):
        return int(self.lifetimes.pop(key, False))

    @command(ONE, 2)
    def _ttl(self, key):
        return -2 if key not in self.data else LONG if key in self.lifetimes else -1

    @command(ONE, 2)
    def _pttl(self, key):
        return self._ttl(key)

    @command(TWO, 3)
    def _rename(self, key, target):
        if key not in self.data:
            raise Refused()
        lives = key in self.lifetimes
        value = self.forget(key)
        self.forget(target)
        self.data[target] = value
        if lives:
            self.lifetimes[target] = True
        return OK

    @command(TWO, -3)
    def _copy(self, key, target, *options):
        if options:
            raise Unknown()
        if key == target:
            raise Refused()
        if key not in self.data or target in self.data:
            return 0
        self.data[target] = type(self.data[key])(self.data[key])
        if key in self.lifetimes:
            self.lifetimes[target] = True
        return 1

    # Strings

    def put(self, key, value):
        self.forget(key)
        self.data[key] = Text(value)

    @command(ONE, 2)
    def _get(self, key):
        value = self.get(key, Text)
        return None if value is None else bytes(value)

    @command(ONE, -3)
    def _set(self, key, value, *options):
        words = [option.upper() for option in options]
        lives = len(words) == 2 and words[0] in (b"EX", b"PX")
        if lives and integer(words[1]) <= 0:
            raise Refused()
        if not lives and words not in ([], [b"NX"], [b"XX"], [b"GET"], [b"KEEPTTL"]):
            raise Unknown()
        if words == [b"NX"] and key in self.data or words == [b"XX"] and key not in self.data:
            return None
        before = self._get(key) if words == [b"GET"] else None
        kept = words == [b"KEEPTTL"] and key in self.lifetimes
        self.put(key, value)
        if lives or kept:
            self.lifetimes[key] = True
        return before if words == [b"GET"] else OK

    @command(ONE, 4)
    def _setex(self, key, seconds, value):
        return self._set(key, value, b"EX", seconds)

    @command(ONE, 3)
    def _setnx(self, key, value):
        return int(self._set(key, value, b"NX") is not None)

    @command(ONE, 3)
    def _getset(self, key, value):
        return self._set(key, value, b"GET")

    @command(ONE, 2)
    def _getdel(self, key):
        value = self._get(key)
        self.forget(key)
        return value

    @command(ONE, 3)
    def _append(self, key, more):
        value = self.make(key, Text)
        value.extend(more)
        return len(value)

    @command(ONE, 2)
    def _strlen(self, key):
        return len(self.get(key, Text) or b"")

    @command(ONE, 4)
    def _getrange(self, key, start, stop):
        start, stop = integer(start), integer(stop)
        value = bytes(self.get(key, Text) or b"")
        if start < 0 and stop < 0 and start > stop:
            return b""
        start = max(start + len(value), 0) if start < 0 else start
        stop = max(stop + len(value), 0) if stop < 0 else stop
        return value[start : stop + 1] if start <= stop else b""

    @command(ONE, 4)
    def _setrange(self, key, offset, more):
        offset = integer(offset)
        value = self.get(key, Text)
        if offset < 0 or offset > 2**20:
            raise Refused() if offset < 0 else Unknown()
        if not more:
            return len(value or b"")
        value = self.make(key, Text)
        value.extend(bytes(max(0, offset - len(value))))
        value[offset : offset + len(more)] = more
        return len(value)

    def add(self, key, number):
        value = in_range(self.number_at(key) + number)
        lives = key in self.lifetimes
        self.put(key, b"%d" % value)
        if lives:
            self.lifetimes[key] = True
        return value

    @command(ONE, 2)
    def _incr(self, key):
        return self.add(key, 1)

    @command(ONE, 2)
    def _decr(self, key):
        return self.add(key, -1)

    @command(ONE, 3)
    def _incrby(self, key, number):
        return self.add(key, integer(number))

    @command(ONE, 3)
    def _decrby(self, key, number):
        if integer(number) == INT_MIN:
            raise Refused()
        return self.add(key, -integer(number))

    @command(ALL, -2, splits=True)
    def _mget(self, *keys):
        values = [self.data.get(key) for key in keys]
        return [bytes(value) if isinstance(value, Text) else None for value in values]

    @command((1, -1, 2), -3, splits=True)
    def _mset(self, *words):
        if len(words) % 2:
            raise Refused()
        for key, value in zip(words[::2], words[1::2]):
            self.put(key, value)
        return OK

    @command((1, -1, 2), -3)
    def _msetnx(self, *words):
        if len(words) % 2:
            raise Refused()
        if any(key in self.data for key in words[::2]):
            return 0
        self._mset(*words)
        return 1

    @command(ONE, 3)
    def _getbit(self, key, offset):
        offset = integer(offset)
        if not 0 <= offset < 2**32:
            raise Refused()
        value = self.get(key, Text) or b""
        return value[offset // 8] >> 7 - offset % 8 & 1 if offset // 8 < len(value) else 0

    @command(ONE, 4)
    def _setbit(self, key, offset, bit):
        before = self._getbit(key, offset)
        offset = integer(offset)
        if bit not in (b"0", b"1"):
            raise Refused()
        value = self.make(key, Text)
        value.extend(bytes(max(0, offset // 8 + 1 - len(value))))
        mask = 1 << 7 - offset % 8
        value[offset // 8] = value[offset // 8] & ~mask | (mask if bit == b"1" else 0)
        return before

    @command(ONE, -2)
    def _bitcount(self, key, *options):
        if options:
            raise Unknown()
        return sum(bin(byte).count("1") for byte in self.get(key, Text) or b"")

    # The rest

    @command(NONE, 2)
    def _echo(self, text):
        return text

    @command(NONE, 3)
    def _publish(self, _channel, _text):
        return ANY

    @command(NONE, -1)
    def _ping(self, *text):
        if len(text) > 1:
            raise Refused()
        return text[0] if text else b"PONG"
