"""Makes a failing program small: leaves out operations as long as it still fails."""

import programs


def takes(words):
    """How many entries an instruction takes from the stack."""
    count = sum(word == b"^" for word in words[1:])
    return count + {b"pop": 1, b"concat": 2, b"dup": 1, b"swap": 2}.get(words[0], 0)


def pushes(words, queueing):
    name = words[0]
    if name in (b"command", b"method"):
        return words[1] not in queueing
    if name == b"dup":
        return 2
    if name == b"swap":
        return 2
    return name in (
        b"push",
        b"concat",
        b"batch-end",
        b"transaction-end",
        b"poll",
        b"cancel",
        b"statistics",
    )


def repaired(code):
    """The instructions whose operands are there: without some, others find nothing to take."""
    kept, depth, queueing = [], 0, set()
    for words in code:
        if takes(words) > depth:
            continue
        if words[0] in (b"batch", b"transaction"):
            queueing.add(words[1])
        elif words[0] in (b"batch-end", b"transaction-end"):
            queueing.discard(words[1])
        depth += pushes(words, queueing) - takes(words)
        kept.append(words)
    return kept


def program_of(groups):
    return {thread: repaired(code) for thread, code in programs.flat(groups).items()}


def without(groups, thread, start, stop):
    left = groups[thread][:start] + groups[thread][stop:]
    return {**groups, thread: left}


def shrunk(groups, fails):
    """The smallest program found for which `fails(program)` still holds."""
    for thread in sorted(groups):
        step = max(1, len(groups[thread]) // 2)
        while step:
            # The first group of a thread makes its clients; the last waits for the others.
            start = 1
            while start < len(groups[thread]) - (thread == 0):
                stop = min(start + step, len(groups[thread]) - (thread == 0))
                smaller = without(groups, thread, start, stop)
                if fails(program_of(smaller)):
                    groups = smaller
                else:
                    start = stop
            step //= 2
    return program_of(groups)
