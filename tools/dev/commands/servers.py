"""Starts real servers on loopback to develop and test against.

  start    starts a standalone server, one with users, a primary with two replicas, TLS servers, and
           a six-node cluster in plain and in TLS; returns when all of them answer. Does nothing
           when they already run.
  status   one line per server; exit code 1 unless all answer
  stop     stops them and removes what they wrote

docs/testing.md describes the servers and the file servers.json that lists them.
"""

import pathlib

import servers

SUMMARY = "start, show or stop the test servers"


def add_arguments(parser):
    parser.add_argument("action", choices=["start", "stop", "status"])
    parser.add_argument(
        "--engine",
        choices=["redis", "valkey"],
        default="redis",
        help="which server (default: redis)",
    )
    parser.add_argument(
        "--dir", help="their folder (default: build/servers, or $TENDON_SERVERS_DIR)"
    )
    parser.add_argument(
        "--base-port",
        type=int,
        default=0,
        help="first of 10 ports (default: 15000 or another free block, or $TENDON_BASE_PORT)",
    )
    parser.add_argument(
        "--cluster-port",
        type=int,
        default=0,
        help="first of the cluster's ports, +0..5 plain and +100..105 TLS "
        "(default: 17000, $TENDON_CLUSTER_PORT)",
    )


def run(arguments):
    folder = pathlib.Path(arguments.dir).resolve() if arguments.dir else servers.default_folder()
    if arguments.action == "stop":
        count = servers.stop(folder)
        print(f"stopped {count} servers" if count else f"no servers were running from {folder}")
        return 0
    if arguments.action == "start":
        if not servers.start(folder, arguments.engine, arguments.base_port, arguments.cluster_port):
            print("already running")
    return servers.status(folder)
