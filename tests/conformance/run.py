#!/usr/bin/env python3
"""Runs conformance programs; `./dev conformance` calls it with everything built and started.

Without a seed: the regressions, then new programs, whose seeds come from the commit. The last line
is `N passed, N failed`, a program in an environment being one test.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import json
import os
import pathlib
import shutil
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
import own_servers
import programs
import proxy
import report
import shrink
import wire

REGRESSIONS = HERE / "regressions.txt"
# A port block that no test server has.
FAULTY_CLUSTER_PORT = 18300
OWN_PORT = 18310
# Most of a program behind faults is waiting.
LINES_PER_CORE = 2
PROGRESS_SECONDS = 30
SHOWN_MAX = 6
FAULTS_SHORTER = 4
# How many programs of one environment may fail before its rest is left out.
FAILED_MAX = 5
DEVIATION_SEEDS = 40


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, help="this program only")
    parser.add_argument("--ops", type=int, default=200, help="operations of a program")
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


def regressions():
    """(environment, seed, operations) of programs that failed once."""
    rows = []
    for line in REGRESSIONS.read_text().splitlines():
        words = line.partition("#")[0].split()
        if words:
            rows.append((words[0], int(words[1]), int(words[2])))
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
        self.begun = time.monotonic()
        self.told = self.begun

    def drivers(self):
        """Processes of its own for each thread, in the order in which they are compared."""
        wanted = self.options.lang.split(",") if self.options.lang else None
        found = []
        for folder, entry in driver.entries():
            if wanted and entry["name"] not in wanted:
                continue
            if driver.available(entry, folder):
                found.append(driver.Driver(entry, folder, dict(os.environ)))
            else:
                self.missing.add(entry["name"])
        return sorted(found, key=lambda each: (each.is_peer, each.name != "python", each.name))

    def execute(self, environment, seed, size, drivers):
        """One program in one environment. Returns whether it passed."""
        outcome = harness.run_seed(
            environment,
            seed,
            size,
            drivers,
            self.kinds,
            self.options.record,
            1 if self.options.seed is not None else self.options.peers_every,
        )
        with self.lock:
            self.take(environment, seed, size, outcome)
        if outcome.differences and self.options.bisect:
            self.shrink(environment, seed, size, drivers, outcome)
        return not outcome.differences

    def take(self, environment, seed, size, outcome):
        self.passed += not outcome.differences
        self.failed += bool(outcome.differences)
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

    def shrink(self, environment, seed, size, drivers, outcome):
        """Prints the smallest program found that shows a difference in the same drivers."""
        names = {difference.driver for difference in outcome.differences}
        usual = next((each.name for each in drivers if each.name not in names), None)
        chosen = [each for each in drivers if each.name in names | {usual}]

        def fails(program):
            found = harness.run_program(environment, program, seed, chosen, self.kinds)
            return any(difference.driver in names for difference in found.differences)

        groups = programs.make_groups(seed, size, harness.setting_of(environment, seed))
        small = shrink.shrunk(groups, fails)
        again = harness.run_program(environment, small, seed, chosen, self.kinds)
        with self.lock:
            print(f"the smallest program found for {environment.name} {seed}:")
            print(wire.to_text(small), end="")
            for difference in again.differences:
                print(f"    {difference}")

    def work(self, environment, jobs):
        """Runs the programs of one environment, with drivers of its own."""
        drivers = self.drivers()
        failed = 0
        try:
            for seed, size in jobs:
                failed += not self.execute(environment, seed, size, drivers)
                if failed >= FAILED_MAX and not self.options.record:
                    print(f"{environment.name}: {failed} programs failed; the rest is left out")
                    break
        finally:
            for each in drivers:
                each.stop()


def places(servers, wanted, stack):
    """The environments, those with faults included, by name. Where it can be, each has a server of
    its own, so that they need not take turns."""
    program = shutil.which(f"{servers['engine']}-server")
    found = environments.all_of(servers)
    for number, name in enumerate(("resp3", "resp2-faults", "resp3-faults")):
        if name in wanted:
            single = own_servers.Server(program, OWN_PORT + number)
            plain = found[name.replace("-faults", "")]
            ports = [stack.enter_context(single).port]
            found[name] = environments.Environment(name, plain.kind, ports, plain.options)
    for name in wanted:
        if name.endswith("-faults"):
            plain = found.get(name) or found[name.replace("-faults", "")]
            if plain.is_cluster:
                cluster = own_servers.FaultyCluster(program, FAULTY_CLUSTER_PORT)
                ports = stack.enter_context(cluster).ports
                plain = environments.Environment(name, plain.kind, ports, plain.options)
                network = proxy.Network(cluster.proxies)
            else:
                network = proxy.Network([proxy.Proxy(plain.ports[0])])
            found[name] = environments.faulty(plain, name, network)
    return {name: found[name] for name in wanted}


NAMES = [
    f"{name}{more}" for more in ("", "-faults") for name in ("resp2", "resp3", "tls", "cluster")
]


def jobs_of(options, name):
    if options.seed is not None:
        return [(options.seed, options.ops)]
    old = [(seed, size) for where, seed, size in regressions() if where == name]
    first = first_seed()
    # What fails there takes as long as a deadline, so these are shorter.
    size = options.ops // FAULTS_SHORTER if name.endswith("-faults") else options.ops
    return old + [(first + number, size) for number in range(options.programs)]


def main():
    options = parsed()
    wanted = options.env.split(",") if options.env else NAMES
    unknown = set(wanted) - set(NAMES)
    if unknown:
        sys.exit(f"no environment {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    servers = json.loads(pathlib.Path(os.environ["TENDON_SERVERS"]).read_text())
    if options.deviations:
        return look_for_deviations(options, servers)
    session = Session(options)
    with contextlib.ExitStack() as stack:
        found = places(servers, wanted, stack)
        if options.print:
            for environment in found.values():
                setting = harness.setting_of(environment, options.seed)
                print(wire.to_text(programs.make(options.seed, options.ops, setting)))
            return 0
        # Environments on the same server take turns.
        lines = collections.defaultdict(list)
        for environment in found.values():
            lines[environment.ports[0]].append(environment)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count() * LINES_PER_CORE) as pool:
            futures = [pool.submit(work_line, session, line) for line in lines.values()]
            for future in futures:
                future.result()
        faults = {name: place.proxy.counts() for name, place in found.items() if place.proxy}
    if options.record:
        harness.save_kinds(session.kinds)
    summary(session, faults)
    if options.report:
        print(f"report: {report.write(session, faults)}")
    print(f"{session.passed} passed, {session.failed} failed")
    return 1 if session.failed or not session.passed else 0


def look_for_deviations(options, servers):
    """Each planted deviation of the Python binding is one test: it must be found. The programs
    in which the whole binding differs are not among them."""
    place = environments.all_of(servers)["resp3"]
    passed = 0
    for name in deviations.DEVIATIONS:
        names = ("python", "go", "node")
        made = [driver.Driver(entry, folder, os.environ) for folder, entry in driver.entries()]
        chosen = sorted((each for each in made if each.name in names), key=lambda each: each.name)
        chosen[-1].environ = deviations.plant(name)
        found = None
        for seed in range(DEVIATION_SEEDS):
            outcome = harness.run_seed(
                place, seed, options.ops, chosen, harness.load_kinds(), peers_every=1
            )
            found = next((each for each in outcome.differences if each.driver == "python"), None)
            if found:
                break
        for each in chosen:
            each.stop()
        passed += found is not None
        print(f"{name}: {f'found by program {seed}: {found}' if found else 'NOT FOUND'}"[:300])
    failed = len(deviations.DEVIATIONS) - passed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def work_line(session, line):
    for environment in line:
        session.work(environment, jobs_of(session.options, environment.name))


def summary(session, faults):
    names = sorted({name for name, _, _ in session.checked})
    print("drivers: " + ", ".join(f"{name} {session.seconds[name]:.0f} s" for name in names))
    if session.missing:
        print(f"not there, so not compared: {', '.join(sorted(session.missing))}")
    for name, count in session.programs.items():
        results = sum(n for (_, where, _), n in session.checked.items() if where == name)
        print(f"{name:16} {count:5} programs, {results:8} results compared")
    for name, counts in faults.items():
        text = ", ".join(f"{fault} {count}" for fault, count in sorted(counts.items()))
        print(f"{name:16} directions of connections: {text}")
    for (name, reason), count in sorted(session.accepted.items()):
        print(f"known difference of {name}, {count} times: {reason}")


if __name__ == "__main__":
    sys.exit(main())
