"""Differences that are known and wanted, each with its reason. Everything else is a defect.

A row: which drivers, a test of (environment, instruction, expected, what came), and the reason,
which docs/differences.md has too.
"""

import natives

ROWS = []


def row(*drivers):
    def register(test):
        ROWS.append((drivers, test, " ".join(test.__doc__.split())))
        return test

    return register


def is_nearly(expected, got):
    """Whether they differ in big integers only. One digit's code below 2^53 ioredis rounds, too."""
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        return all(map(is_nearly, expected, got))
    if isinstance(expected, int) and abs(expected) > 2**53 - 64:
        return isinstance(got, int) and abs(expected - got) < 2**11
    return natives.same(expected, got)


def reason(driver, environment, words, expected, got):
    """Why this difference is accepted; None when it is not."""
    for drivers, test, text in ROWS:
        if driver.name in drivers and test(environment, words, expected, got):
            return text
    return None


@row("python", "python-asyncio", "redis-py", "redis-py-asyncio")
def opens_again(_environment, _words, expected, _got):
    """A closed Redis of Python connects again."""
    return expected.value == natives.Local("closed")


@row("redis-py", "redis-py-asyncio")
def no_statistics(_environment, words, _expected, _got):
    """redis-py has no statistics."""
    return words[0] == b"statistics"


@row("python", "python-asyncio", "node", "java", "java-futures", "go", "c")
def taken_by_the_given_up(_environment, words, expected, got):
    """A server that reads BLPOP, its connection's end and RPUSH at once serves BLPOP first."""
    return expected.value == b"kept" and got is None and words[2] == b"=LPOP"


@row("ioredis")
def lost_digits(_environment, _words, expected, got):
    """ioredis loses digits of integers from about 2^53 on."""
    return is_nearly(expected.value, got)


@row("jedis", "go-redis", "ioredis", "redis-py", "redis-py-asyncio")
def closed_in_another_way(_environment, _words, expected, _got):
    """The mirrored clients say in many ways that a client is closed."""
    return expected.value == natives.Local("closed")
