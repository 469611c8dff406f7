"""The order of a run: every cell once per round, in random order, on a quiet machine."""

import random
import sys
import time

from . import machine, sample

# How often a spoilt sample is taken again, and how long one sample may wait for quiet.
TRIES = 6
QUIET_SECONDS = 45
# A run that finds no quiet in this time takes what it gets and says so.
PATIENCE_SECONDS = 1500


class Gate:
    """Decides whether a sample may begin and whether it counts."""

    def __init__(self, closed):
        self.closed = closed
        self.ends = time.monotonic() + PATIENCE_SECONDS

    def wait(self):
        if self.closed:
            machine.wait_until_quiet(min(time.monotonic() + QUIET_SECONDS, self.ends))

    def accepts(self, taken, tried):
        """A disturbed sample is kept only when there is no hope or no gate; it stays marked."""
        if not self.closed or not taken.disturbed:
            return True
        return tried + 1 >= TRIES or time.monotonic() > self.ends


def tell(text):
    print(text, file=sys.stderr, flush=True)


def one(cell, gate, target, timing, outs, env):
    for tried in range(TRIES):
        gate.wait()
        try:
            taken = sample.take(cell, target, timing, outs[cell.client.language], env)
        except sample.Trouble as trouble:
            cell.failure = str(trouble)
            return f"FAILED: {trouble}"
        if gate.accepts(taken, tried):
            cell.samples.append(taken)
            break
        cell.rejected += 1
    answer = taken.answer
    mark = f"  disturbed: others used {taken.foreign:.0%}" if taken.disturbed else ""
    return (
        f"{answer['ops'] / answer['seconds']:12,.0f} ops/s  "
        f"{answer['cpu_us'] / answer['ops']:8.3f} us CPU{mark}"
    )


def run(cells, rounds, gate, target, timing, outs, env):
    """Fills the samples of the cells. A cell that fails is not tried again."""
    for number in range(rounds):
        order = [cell for cell in cells if not cell.failure]
        random.shuffle(order)
        for at, cell in enumerate(order):
            result = one(cell, gate, target, timing, outs, env)
            place = f"round {number + 1}/{rounds} {at + 1:3}/{len(order)}"
            tell(f"{place}  {cell.label():44} {result}")
