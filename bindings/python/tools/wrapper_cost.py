"""
What a generated method costs beside the generic call of its command, in CPU time of the thread.

    eval "$(./dev env)"; cd bindings/python; PYTHONPATH=. python3 tools/wrapper_cost.py

Both are called in turns, so that both find the machine as it is.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from typing import Any, Callable, Dict, List, Tuple

import tendon
import tendon.asyncio
from tests import support

ROUNDS = 31
CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 400  # in each round
Pair = Tuple[Callable[[], Any], Callable[[], Any]]


def pairs(redis: tendon.Redis) -> Dict[str, Pair]:
    call = redis.execute_command
    return {
        "get(name)": (lambda: call("GET", "py:a"), lambda: redis.get("py:a")),
        "set(name, value)": (lambda: call("SET", "py:a", "1"), lambda: redis.set("py:a", "1")),
        "set(name, value, ex=5)": (
            lambda: call("SET", "py:a", "1", "EX", 5),
            lambda: redis.set("py:a", "1", ex=5),
        ),
        "setex(name, time, value)": (
            lambda: call("SETEX", "py:a", 5, "1"),
            lambda: redis.setex("py:a", 5, "1"),
        ),
        "incr(name)": (lambda: call("INCRBY", "py:n", 1), lambda: redis.incr("py:n")),
        "hset(name, key, value)": (
            lambda: call("HSET", "py:h", "f", "v"),
            lambda: redis.hset("py:h", "f", "v"),
        ),
        "hgetall(name)": (lambda: call("HGETALL", "py:h"), lambda: redis.hgetall("py:h")),
        "expire(name, time)": (lambda: call("EXPIRE", "py:h", 5), lambda: redis.expire("py:h", 5)),
        "zadd(name, mapping)": (
            lambda: call("ZADD", "py:z", 1, "a"),
            lambda: redis.zadd("py:z", {"a": 1}),
        ),
        "zrange(name, 0, -1)": (
            lambda: call("ZRANGE", "py:z", 0, -1),
            lambda: redis.zrange("py:z", 0, -1),
        ),
        "mget([name, name])": (
            lambda: call("MGET", "py:a", "py:n"),
            lambda: redis.mget(["py:a", "py:n"]),
        ),
    }


def took(call: Callable[[], Any], times: int) -> float:
    begin = time.thread_time()
    for _ in range(times):
        call()
    return (time.thread_time() - begin) / times * 1e6


def show(name: str, generic: List[float], method: List[float]) -> None:
    ratio = statistics.median(later / first for first, later in zip(generic, method))
    middle = statistics.median(generic), statistics.median(method)
    print(f"{name:26} generic {middle[0]:6.2f} us, method {middle[1]:6.2f} us, ratio {ratio:.3f}")


def compare(name: str, pair: Pair) -> None:
    found: Tuple[List[float], List[float]] = [], []
    for call in pair:
        took(call, CALLS)
    for number in range(ROUNDS):
        for which in (0, 1) if number % 2 else (1, 0):
            found[which].append(took(pair[which], CALLS))
    show(name, *found)


async def compare_asyncio() -> None:
    async with tendon.asyncio.Redis(host=support.HOST, port=support.PORT) as redis:
        calls = (lambda: redis.execute_command("GET", "py:a"), lambda: redis.get("py:a"))
        found: Tuple[List[float], List[float]] = [], []
        for number in range(ROUNDS * 3):
            for which in (0, 1) if number % 2 else (1, 0):
                begin = time.thread_time()
                for _ in range(5):
                    await asyncio.gather(*(calls[which]() for _ in range(100)))
                found[which].append((time.thread_time() - begin) / 500 * 1e6)
        show("asyncio get, 100 at once", *found)


def main() -> None:
    with support.client() as redis:
        redis.delete("py:a", "py:n", "py:h", "py:z")
        for name, pair in pairs(redis).items():
            compare(name, pair)
    asyncio.run(compare_asyncio())


main()
