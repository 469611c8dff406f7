"""Measures tendon and its peers doing the same work in one run.

Installs what the drivers need, builds them, starts one server, and runs every chosen client through
every chosen workload in interleaved rounds on a quiet machine. Writes JSON, SVGs and an HTML page.
bench/README.md describes workloads, method and how to add a client.

  ./dev bench                          everything: hours
  ./dev bench --lang c --workload L1,P100 --rounds 7
  ./dev bench --lang python,node --quick
  ./dev bench --lang go --against bench/results/DATE.json      is any CPU ratio worse now?
  ./dev bench --join A.json B.json     one report of several runs; the last of a workload counts
"""

import sys

import console

sys.path.insert(0, str(console.ROOT / "bench"))

SUMMARY = "measure tendon and its peers on the same work"


def add_arguments(parser):
    parser.add_argument(
        "--lang", default="", help="languages, by commas (default: all with drivers)"
    )
    parser.add_argument("--workload", default="", help="workloads, by commas (default: all)")
    parser.add_argument("--client", default="", help="clients, by commas (default: all)")
    parser.add_argument("--rounds", type=int, help="samples per cell (default: 5)")
    parser.add_argument(
        "--other-rounds",
        type=int,
        help="samples per cell without a target in its language (default: as many)",
    )
    parser.add_argument("--seconds", type=float, help="of one sample (default: 1)")
    parser.add_argument("--warmup", type=float, help="before each (default: 0.3)")
    parser.add_argument("--quick", action="store_true", help="2 rounds of 0.4 s: does it work?")
    parser.add_argument(
        "--no-gate", action="store_true", help="do not wait for quiet, keep disturbed samples"
    )
    parser.add_argument(
        "--urgent",
        action="store_true",
        help="client and server before all other processes (nice -19, as root); does not wait",
    )
    parser.add_argument("--engine", choices=["redis", "valkey"], default="redis")
    parser.add_argument("--no-save", action="store_true", help="write to build/, not bench/results")
    parser.add_argument("--name", help="of the results file (default: the date, what was chosen)")
    parser.add_argument("--join", nargs="+", help="results files to make one report of")
    parser.add_argument("--against", help="results file: fail where a CPU ratio is worse now")
    parser.add_argument("--list", action="store_true", help="name workloads and clients and end")


def run(arguments):
    from harness import session

    if arguments.list:
        return session.show_list()
    console.only_one()
    return session.run(arguments)
