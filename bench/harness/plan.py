"""What can be measured: workloads.json, the clients of each language, and the cells of one run."""

import json
import pathlib

from console import Failure

BENCH = pathlib.Path(__file__).resolve().parents[1]
LANGUAGES = ["c", "python", "node", "java", "go"]


class Workload:
    """One kind of work, the same for every client."""

    def __init__(self, name, fields):
        self.name = name
        self.title = fields["title"]
        self.mode = fields["mode"]
        self.op = fields["op"]
        self.placement = fields["placement"]
        self.transport = fields["transport"]
        self.resume = fields.get("resume", "")
        self.numbers = {
            word: fields[word] for word in ("value_bytes", "concurrency", "batch", "keys")
        }


class Client:
    """One way to do the work: a client library in a language, with the driver that uses it."""

    def __init__(self, language, name, fields):
        self.language = language
        self.name = name
        self.command = fields["command"]
        self.modes = fields["modes"]
        self.ops = fields.get("ops", ["get", "set", "mixed"])
        self.transports = fields.get("transports", ["tcp"])
        self.only = fields.get("workloads")
        self.ours = fields.get("ours", False)
        self.reference = fields.get("reference", False)
        self.environment = fields.get("environment", {})
        self.resumes = fields.get("resumes", False)

    def can(self, workload):
        return (
            workload.mode in self.modes
            and workload.op in self.ops
            and workload.transport in self.transports
            and (self.resumes or not workload.resume)
            and (self.only is None or workload.name in self.only)
        )


class Cell:
    """One client doing one workload; the samples of all rounds gather here."""

    def __init__(self, workload, client):
        self.workload = workload
        self.client = client
        self.rounds = 0  # how many samples it shall have
        self.samples = []
        self.rejected = 0
        self.failure = ""

    def label(self):
        return f"{self.workload.name:19} {self.client.language:6} {self.client.name}"


def load_workloads():
    text = json.loads((BENCH / "workloads.json").read_text())
    return {
        name: Workload(name, {**text["defaults"], **fields})
        for name, fields in text["workloads"].items()
    }


def load_clients(languages):
    """The clients of every language that has drivers."""
    clients = []
    for language in languages:
        path = BENCH / "drivers" / language / "clients.json"
        if path.exists():
            found = json.loads(path.read_text())["clients"]
            clients += [Client(language, name, fields) for name, fields in found.items()]
    return clients


def chosen(wanted, known, what):
    """The names in `wanted` (a text with commas; semicolons where names have commas) that exist;
    Failure names what does not."""
    parts = wanted.split(";" if ";" in wanted else ",")
    names = [name.strip() for name in parts if name.strip()]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise Failure(f"no {what} {', '.join(unknown)}; there are: {', '.join(known)}")
    return names


def cells(workloads, clients):
    return [Cell(work, client) for work in workloads for client in clients if client.can(work)]
