#!/usr/bin/env python3
"""Runs conformance programs; `./dev conformance` calls it with everything built and started.

Without a seed: the fixed set, then new programs, whose seeds come from the commit. The last line
is `N passed, N failed`, a program in an environment being one test.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tools" / "dev"))

import deviations
import driver
import environments
import harness
import places
import programs
import report
import shrink
import wire

FIXED = HERE / "fixed.txt"
# Processes of each driver: more than two hardly ever compute at the same time.
CREW_EACH = 5
PROGRESS_SECONDS = 30
SHOWN_MAX = 6
# How many programs of one environment may fail before its rest is left out.
FAILED_MAX = 5
DEVIATION_SEEDS = 40


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, help="this program only")
    parser.add_argument("--ops", type=int, default=200, help="operations of a program")
    parser.add_argument("--faulty-ops", type=int, help="the same behind faults; else as --ops")
    parser.add_argument("--programs", type=int, default=50, help="new programs per environment")
    parser.add_argument("--peers-every", type=int, default=1, help="peers for a part of them")
    parser.add_argument("--lang", help="only these drivers, separated by commas")
    parser.add_argument("--env", help="only these environments, separated by commas")
    parser.add_argument("--bisect", action="store_true", help="shrink what fails, and print it")
    parser.add_argument("--print", action="store_true", help="with --seed: print the program")
    parser.add_argument("--report", action="store_true", help="write a page: what was compared")
    parser.add_argument("--deviations", action="store_true", help="show that the suite can fail")
    parser.add_argument("--record", action="store_true", help="accept new native types")
    return parser.parse_args()


def first_seed():
    """New programs for every commit, the same ones when it is tested again."""
    words = ["git", "rev-parse", "HEAD"]
    found = subprocess.run(words, cwd=HERE, stdout=subprocess.PIPE, check=False)
    text = found.stdout.decode().strip()
    return int(text[:8], 16) % 10**8 * 10 if text else int(time.time())


def fixed_jobs(name):
    """(seed, operations) of the programs that always run in this environment."""
    rows = []
    for line in FIXED.read_text().splitlines():
        words = line.partition("#")[0].split()
        if words and words[0] in ("all", name):
            first, _, last = words[1].partition("-")
            rows += [(seed, int(words[2])) for seed in range(int(first), int(last or first) + 1)]
    return rows


class Session:
    """What all programs of one run share."""

    def __init__(self, options):
        self.options = options
        self.kinds = harness.load_kinds()
        self.lock = threading.Lock()
        self.missing = set()
        self.passed = self.failed = 0
        self.checked = collections.Counter()
        self.accepted = collections.Counter()
        self.seconds = collections.Counter()
        self.differences = collections.Counter()
        self.programs = collections.Counter()
        self.failures = collections.Counter()  # environment -> programs
        self.crew = driver.Crew(self.drivers())
        self.begun = time.monotonic()
        self.told = self.begun

    def drivers(self):
        """In the order in which they are compared, those of one name apart from each other."""
        wanted = self.options.lang.split(",") if self.options.lang else None
        found = []
        for folder, entry in driver.entries():
            if wanted and entry["name"] not in wanted:
                continue
            if driver.available(entry, folder):
                found.append((folder, entry))
            else:
                self.missing.add(entry["name"])
        made = [
            driver.Driver(entry, folder, number=number)
            for number in range(CREW_EACH)
            for folder, entry in found
        ]
        return sorted(made, key=lambda each: (each.number, *driver.rank(each)))

    def execute(self, environment, seed, size):
        """One program in one environment."""
        outcome = harness.run_seed(
            environment,
            seed,
            size,
            self.crew,
            self.kinds,
            self.options.record,
            1 if self.options.seed is not None else self.options.peers_every,
        )
        with self.lock:
            self.take(environment, seed, size, outcome)
        if outcome.differences and self.options.bisect:
            self.shrink(environment, seed, size, outcome)

    def take(self, environment, seed, size, outcome):
        self.passed += not outcome.differences
        self.failed += bool(outcome.differences)
        self.failures[environment.name] += bool(outcome.differences)
        self.programs[environment.name] += 1
        for (name, area), count in outcome.checked.items():
            self.checked[name, environment.name, area] += count
        self.accepted.update(outcome.accepted)
        self.seconds.update(outcome.seconds)
        if outcome.differences:
            print(f"failed: {environment.name} {seed} {size}")
        for index, difference in enumerate(outcome.differences):
            self.differences[difference.driver, environment.name, difference.area] += 1
            if index < SHOWN_MAX:
                print(f"    {difference}")
        if time.monotonic() - self.told > PROGRESS_SECONDS:
            self.told = time.monotonic()
            seconds = self.told - self.begun
            print(f"  {self.passed + self.failed} programs, {self.failed} failed, {seconds:.0f} s")
        sys.stdout.flush()

    def shrink(self, environment, seed, size, outcome):
        """Prints the smallest program found that shows a difference in the same drivers."""
        names = {difference.driver for difference in outcome.differences}
        usual = next((name for name in self.crew.kinds if name not in names), None)
        chosen = [name for name in self.crew.kinds if name in names | {usual}]

        def outcome_of(program):
            return harness.run_program(environment, program, seed, self.crew, chosen, self.kinds)

        def fails(program):
            found = outcome_of(program).differences
            return any(difference.driver in names for difference in found)

        groups = programs.make_groups(seed, size, harness.setting_of(environment.name, seed))
        small = shrink.shrunk(groups, fails)
        again = outcome_of(small)
        with self.lock:
            print(f"the smallest program found for {environment.name} {seed}:")
            print(wire.to_text(small), end="")
            for difference in again.differences:
                print(f"    {difference}")

    def work(self, name, opened, jobs):
        """Runs programs of one environment in a place of its own, as long as there are any."""
        with opened(name) as environment:
            while jobs and (self.failures[name] < FAILED_MAX or self.options.record):
                try:
                    seed, size = jobs.popleft()
                except IndexError:  # another place has taken the last one
                    return
                self.execute(environment, seed, size)


def jobs_of(options, name):
    if options.seed is not None:
        return [(options.seed, options.ops)]
    first = first_seed()
    size = options.faulty_ops if places.behind_faults(name) and options.faulty_ops else options.ops
    return fixed_jobs(name) + [(first + number, size) for number in range(options.programs)]


def main():
    options = parsed()
    wanted = options.env.split(",") if options.env else places.NAMES
    unknown = set(wanted) - set(places.NAMES)
    if unknown:
        sys.exit(f"no environment {', '.join(sorted(unknown))} among {', '.join(places.NAMES)}")
    servers = json.loads(pathlib.Path(os.environ["TENDON_SERVERS"]).read_text())
    if options.deviations:
        return look_for_deviations(options, servers)
    found = places.Places(servers)
    if options.print:
        for name in wanted:
            setting = harness.setting_of(name, options.seed)
            print(wire.to_text(programs.make(options.seed, options.ops, setting)))
        return 0
    session = Session(options)
    execute_all(session, found, wanted)
    faults = found.faults()
    if options.record:
        harness.save_kinds(session.kinds)
    summary(session, faults)
    if options.report:
        print(f"report: {report.write(session, faults)}")
    print(f"{session.passed} passed, {session.failed} failed")
    return 1 if session.failed or not session.passed else 0


def execute_all(session, found, wanted):
    """Everything at the same time: most of a program is waiting."""
    jobs = {name: collections.deque(jobs_of(session.options, name)) for name in wanted}
    workers = [name for name in wanted for _ in range(places.count(name, len(jobs[name])))]
    with concurrent.futures.ThreadPoolExecutor(len(workers)) as pool:
        futures = [pool.submit(session.work, name, found.opened, jobs[name]) for name in workers]
        concurrent.futures.wait(futures)
        session.crew.stop()
        for future in futures:
            future.result()
    for name, left in jobs.items():
        if left:
            print(f"{name}: {len(left)} programs are left out, after so many failures")


def look_for_deviations(options, servers):
    """Each planted deviation of the Python binding is one test: it must be found. The programs
    in which the whole binding differs are not among them."""
    place = environments.all_of(servers)["resp3"]
    passed = 0
    for name in deviations.DEVIATIONS:
        crew = driver.Crew(deviating(deviations.plant(name)))
        found = None
        for seed in range(DEVIATION_SEEDS):
            outcome = harness.run_seed(place, seed, options.ops, crew, harness.load_kinds())
            found = next((each for each in outcome.differences if each.driver == "python"), None)
            if found:
                break
        crew.stop()
        passed += found is not None
        print(f"{name}: {f'found by program {seed}: {found}' if found else 'NOT FOUND'}"[:300])
    failed = len(deviations.DEVIATIONS) - passed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def deviating(environ):
    """Drivers of three languages, that of Python in an environment in which it deviates. It is
    held against the others, so it is not the first."""
    found = {entry["name"]: (entry, folder) for folder, entry in driver.entries()}
    return [
        driver.Driver(*found["go"]),
        driver.Driver(*found["node"]),
        driver.Driver(*found["python"], environ),
    ]


def summary(session, faults):
    names = sorted({name for name, _, _ in session.checked})
    print("drivers: " + ", ".join(f"{name} {session.seconds[name]:.0f} s" for name in names))
    if session.missing:
        print(f"not there, so not compared: {', '.join(sorted(session.missing))}")
    for name, count in session.programs.items():
        results = sum(n for (_, where, _), n in session.checked.items() if where == name)
        print(f"{name:16} {count:5} programs, {results:8} results compared")
    total, results = sum(session.programs.values()), sum(session.checked.values())
    print(f"in all: {total} programs, {results} results compared")
    for name, counts in faults.items():
        text = ", ".join(f"{fault} {count}" for fault, count in sorted(counts.items()))
        print(f"{name:16} directions of connections: {text}")
    for (name, reason), count in sorted(session.accepted.items()):
        print(f"known difference of {name}, {count} times: {reason}")


if __name__ == "__main__":
    sys.exit(main())
