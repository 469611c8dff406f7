"""The model of hashes, lists, sets and sorted sets. Mixed into Model."""

import math

from model_base import (
    ALL,
    OK,
    ONE,
    TWO,
    Refused,
    Sorted,
    Unknown,
    command,
    double,
    in_range,
    integer,
    span,
)


class Values:
    # Hashes

    @command(ONE, -4)
    def _hset(self, key, *words):
        if len(words) % 2:
            raise Refused()
        table = self.make(key, dict)
        before = len(table)
        table.update(zip(words[::2], words[1::2]))
        return len(table) - before

    @command(ONE, 4)
    def _hsetnx(self, key, field, value):
        if field in (self.get(key, dict) or {}):
            return 0
        return self._hset(key, field, value)

    @command(ONE, 3)
    def _hget(self, key, field):
        return (self.get(key, dict) or {}).get(field)

    @command(ONE, -3)
    def _hmget(self, key, *fields):
        table = self.get(key, dict) or {}
        return [table.get(field) for field in fields]

    @command(ONE, -3)
    def _hdel(self, key, *fields):
        table = self.get(key, dict) or {}
        count = sum(table.pop(field, None) is not None for field in fields)
        self.tidy(key)
        return count

    @command(ONE, 2)
    def _hgetall(self, key):
        return dict(self.get(key, dict) or {})

    @command(ONE, 2)
    def _hkeys(self, key):
        return frozenset(self.get(key, dict) or ())

    @command(ONE, 2)
    def _hlen(self, key):
        return len(self.get(key, dict) or ())

    @command(ONE, 3)
    def _hexists(self, key, field):
        return int(field in (self.get(key, dict) or ()))

    @command(ONE, 3)
    def _hstrlen(self, key, field):
        return len(self._hget(key, field) or b"")

    @command(ONE, 4)
    def _hincrby(self, key, field, number):
        number = integer(number)
        table = self.get(key, dict) or {}
        value = in_range(integer(table.get(field, b"0")) + number)
        self.make(key, dict)[field] = b"%d" % value
        return value

    # Lists

    @command(ONE, -3)
    def _lpush(self, key, *values):
        items = self.make(key, list)
        items[:0] = reversed(values)
        return len(items)

    @command(ONE, -3)
    def _rpush(self, key, *values):
        items = self.make(key, list)
        items.extend(values)
        return len(items)

    @command(ONE, -3)
    def _rpushx(self, key, *values):
        return self._rpush(key, *values) if self.get(key, list) else 0

    def take(self, key, count, at):
        if len(count) > 1:
            raise Refused()
        wanted = integer(count[0]) if count else 1
        if wanted < 0:
            raise Refused()
        items = self.get(key, list)
        if not items:
            return None
        taken = [items.pop(at) for _ in range(min(wanted, len(items)))]
        self.tidy(key)
        return taken if count else taken[0]

    @command(ONE, -2)
    def _lpop(self, key, *count):
        return self.take(key, count, 0)

    @command(ONE, -2)
    def _rpop(self, key, *count):
        return self.take(key, count, -1)

    @command((1, -2, 1), -3)
    def _blpop(self, *words):
        if double(words[-1]) < 0:
            raise Refused()
        for key in words[:-1]:
            if self.get(key, list):
                return [key, self.take(key, (), 0)]
        return None

    @command(ONE, 4)
    def _lrange(self, key, start, stop):
        start, stop = integer(start), integer(stop)
        items = self.get(key, list) or []
        start, stop = span(len(items), start, stop)
        return items[start:stop]

    @command(ONE, 2)
    def _llen(self, key):
        return len(self.get(key, list) or ())

    @command(ONE, 3)
    def _lindex(self, key, index):
        items, index = self.get(key, list) or [], integer(index)
        return items[index] if -len(items) <= index < len(items) else None

    @command(ONE, 4)
    def _lset(self, key, index, value):
        items = self.get(key, list)
        if items is None or not -len(items) <= integer(index) < len(items):
            raise Refused()
        items[integer(index)] = value
        return OK

    @command(ONE, 4)
    def _lrem(self, key, count, value):
        count = integer(count)
        items = self.get(key, list) or []
        places = [at for at, item in enumerate(items) if item == value]
        chosen = places[count:] if count < 0 else places[: count or None]
        for at in reversed(chosen):
            del items[at]
        self.tidy(key)
        return len(chosen)

    @command(ONE, 4)
    def _ltrim(self, key, start, stop):
        start, stop = integer(start), integer(stop)
        items = self.get(key, list)
        if items is not None:
            start, stop = span(len(items), start, stop)
            items[:] = items[start:stop]
            self.tidy(key)
        return OK

    @command(TWO, 5)
    def _lmove(self, key, target, where, whither):
        sides = (b"LEFT", b"RIGHT")
        if where.upper() not in sides or whither.upper() not in sides:
            raise Refused()
        items = self.get(key, list)
        if not items:
            return None
        self.get(target, list)
        value = items.pop(0 if where.upper() == b"LEFT" else -1)
        if whither.upper() == b"LEFT":
            self.make(target, list).insert(0, value)
        else:
            self.make(target, list).append(value)
        self.tidy(key)
        return value

    # Sets

    @command(ONE, -3)
    def _sadd(self, key, *members):
        members_of = self.make(key, set)
        before = len(members_of)
        members_of.update(members)
        return len(members_of) - before

    @command(ONE, -3)
    def _srem(self, key, *members):
        members_of = self.get(key, set) or set()
        before = len(members_of)
        members_of.difference_update(members)
        self.tidy(key)
        return before - len(members_of)

    @command(ONE, 2)
    def _smembers(self, key):
        return frozenset(self.get(key, set) or ())

    @command(ONE, 2)
    def _scard(self, key):
        return len(self.get(key, set) or ())

    @command(ONE, 3)
    def _sismember(self, key, member):
        return int(member in (self.get(key, set) or ()))

    @command(ONE, -3)
    def _smismember(self, key, *members):
        members_of = self.get(key, set) or ()
        return [int(member in members_of) for member in members]

    @command(ALL, -2)
    def _sinter(self, *keys):
        return frozenset.intersection(*[frozenset(self.get(key, set) or ()) for key in keys])

    @command(ALL, -2)
    def _sunion(self, *keys):
        return frozenset.union(*[frozenset(self.get(key, set) or ()) for key in keys])

    @command(ALL, -2)
    def _sdiff(self, *keys):
        first, *others = [frozenset(self.get(key, set) or ()) for key in keys]
        return first.difference(*others)

    @command(TWO, 4)
    def _smove(self, key, target, member):
        members_of = self.get(key, set)
        if members_of is None:
            return 0
        self.get(target, set)
        if key == target or member not in members_of:
            return int(member in members_of)
        members_of.discard(member)
        self.make(target, set).add(member)
        self.tidy(key)
        return 1

    # Sorted sets

    @command(ONE, -4)
    def _zadd(self, key, *words):
        if words[0].upper() in (b"NX", b"XX", b"GT", b"LT", b"CH", b"INCR"):
            raise Unknown()
        if len(words) % 2:
            raise Refused()
        scores = [double(score) for score in words[::2]]
        members_of = self.make(key, Sorted)
        before = len(members_of)
        members_of.update(zip(words[1::2], scores))
        return len(members_of) - before

    @command(ONE, -3)
    def _zrem(self, key, *members):
        members_of = self.get(key, Sorted) or {}
        count = sum(members_of.pop(member, None) is not None for member in members)
        self.tidy(key)
        return count

    @command(ONE, 3)
    def _zscore(self, key, member):
        return (self.get(key, Sorted) or {}).get(member)

    @command(ONE, 4)
    def _zincrby(self, key, number, member):
        number = double(number)
        members_of = self.get(key, Sorted)
        score = (members_of or {}).get(member, 0.0) + number
        if math.isnan(score):
            raise Refused()
        self.make(key, Sorted)[member] = score
        return score

    @command(ONE, 2)
    def _zcard(self, key):
        return len(self.get(key, Sorted) or ())

    @command(ONE, -3)
    def _zrank(self, key, member, *options):
        if options:
            raise Unknown()
        names = [name for name, _ in (self.get(key, Sorted) or Sorted()).ordered()]
        return names.index(member) if member in names else None

    @command(ONE, 4)
    def _zcount(self, key, low, high):
        if low != b"-inf" or high != b"+inf":
            raise Unknown()
        return self._zcard(key)

    @command(ONE, -4)
    def _zrange(self, key, start, stop, *options):
        words = [option.upper() for option in options]
        if words not in ([], [b"WITHSCORES"], [b"REV"]):
            raise Unknown()
        start, stop = integer(start), integer(stop)
        items = (self.get(key, Sorted) or Sorted()).ordered()
        items = items[::-1] if words == [b"REV"] else items
        start, stop = span(len(items), start, stop)
        chosen = items[start:stop]
        return (
            [list(item) for item in chosen]
            if words == [b"WITHSCORES"]
            else [item[0] for item in chosen]
        )
