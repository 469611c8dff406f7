"""The order of a run: every cell once per round, on a quiet machine; the clients of a workload one
after the other, in random order."""

import random
import sys
import time

from . import machine, results, sample

# Of a driver, in the estimate of a run.
START_SECONDS = 0.8
# How often a spoilt sample is taken again, and how long one sample may wait for quiet.
TRIES = 6
QUIET_SECONDS = 20
# On a machine that has shown no quiet for a whole sample; hope returns with the first good one.
TRIES_WITHOUT_HOPE = 1
QUIET_SECONDS_WITHOUT_HOPE = 2
# A run that finds no quiet in this time takes what it gets and says so.
PATIENCE_SECONDS = 1500


class Gate:
    """Decides when a sample may begin, whether it counts, and how often it may be taken again."""

    def __init__(self, closed):
        self.closed = closed
        self.hope = True
        self.ends = time.monotonic() + PATIENCE_SECONDS

    def tries(self):
        return TRIES if self.closed and self.hope else TRIES_WITHOUT_HOPE

    def wait(self):
        seconds = QUIET_SECONDS if self.hope else QUIET_SECONDS_WITHOUT_HOPE
        if self.closed:
            machine.wait_until_quiet(min(time.monotonic() + seconds, self.ends))

    def judge(self, disturbed):
        """Learns from the last try of a sample whether the machine is ever quiet."""
        if self.closed and disturbed and self.hope:
            tell("this machine is busy: taking disturbed samples as they come (see --urgent)")
        self.hope = not disturbed


def minutes(cells, timing):
    """About how long a run takes: what the drivers need to start is a guess."""
    total = 0.0
    for cell in cells:
        told = sample.timing_of(cell, timing)
        failover = cell.workload.mode == "failover"
        total += (sum(told.values()) + START_SECONDS + 5.0 * failover) * cell.rounds
    return total / 60


def tell(text):
    print(text, file=sys.stderr, flush=True)


def one(cell, gate, targets, timing, outs, env):
    """One sample of a cell, taken again while it is spoilt and there is hope."""
    for left in reversed(range(gate.tries())):
        gate.wait()
        try:
            taken = sample.take(cell, targets, timing, outs[cell.client.language], env)
        except sample.Trouble as trouble:
            cell.failure = str(trouble)
            return f"FAILED: {trouble}"
        if not taken.disturbed or not left:
            break
        cell.rejected += 1
    gate.judge(taken.disturbed)
    cell.samples.append(taken)
    answer = taken.answer
    if answer["kill_ms"]:
        shown = results.figures(taken)
        return (
            f"recovered after {shown['recovered_ms']:6.0f} ms, {shown['failed_calls']} calls failed"
        )
    mark = f"  disturbed: others used {taken.foreign:.0%}" if taken.disturbed else ""
    return (
        f"{answer['ops'] / answer['seconds']:12,.0f} ops/s  "
        f"{answer['cpu_us'] / answer['ops']:8.3f} us CPU{mark}"
    )


def in_random_order(cells):
    """The clients of a workload one after the other, because a machine's own speed changes within
    a minute, and only what ran at one speed can be compared; workloads and clients in any order."""
    places = {(cell.client.language, cell.workload.name): random.random() for cell in cells}
    return sorted(
        cells,
        key=lambda cell: (places[cell.client.language, cell.workload.name], random.random()),
    )


def run(cells, gate, targets, timing, outs, env):
    """Fills the samples of the cells. A cell that fails is not tried again."""
    rounds = max((cell.rounds for cell in cells), default=0)
    for number in range(rounds):
        order = [cell for cell in cells if not cell.failure and cell.rounds > number]
        order = in_random_order(order)
        for at, cell in enumerate(order):
            result = one(cell, gate, targets, timing, outs, env)
            place = f"round {number + 1}/{rounds} {at + 1:3}/{len(order)}"
            tell(f"{place}  {cell.label():52} {result}")
