"""What the machine is, and how much of it others are using."""

import os
import pathlib
import platform
import re
import resource
import time

TICKS = os.sysconf("SC_CLK_TCK")
# A machine counts as quiet below this share of one core, over one look.
QUIET_SHARE = 0.15
LOOK_SECONDS = 0.2
REST_SECONDS = 0.4
URGENT_NICE = -19


def busy_seconds(cores=None):
    """Seconds of CPU that these cores (None: all) have spent on anything, and those stolen by the
    host.
    """
    busy = stolen = 0
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        name, *words = line.split()
        if not re.fullmatch(r"cpu\d+", name) or (cores is not None and int(name[3:]) not in cores):
            continue
        user, nice, system, _idle, _wait, interrupt, soft, steal = (int(word) for word in words[:8])
        busy += user + nice + system + interrupt + soft + steal
        stolen += steal
    return busy / TICKS, stolen / TICKS


def own_seconds():
    """Seconds of CPU of this process and of those of its children that have ended."""
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        use = resource.getrusage(who)
        total += use.ru_utime + use.ru_stime
    return total


def process_seconds(pid):
    """Seconds of CPU of all threads of a process, to the nanosecond."""
    total = 0
    for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            total += int(path.read_text().split()[0])
        except OSError:
            continue
    return total / 1e9


def wait_until_quiet(deadline):
    """Returns True once nobody else uses the machine, False when the deadline came first."""
    while time.monotonic() < deadline:
        before, began = busy_seconds()[0], time.monotonic()
        time.sleep(LOOK_SECONDS)
        if (busy_seconds()[0] - before) / (time.monotonic() - began) < QUIET_SHARE:
            return True
        time.sleep(REST_SECONDS)
    return False


def hurry():
    """Puts this process, first of a new session, before all others. Linux may divide the CPU among
    sessions first, and then a process's own niceness counts inside its session only.
    """
    os.setpriority(os.PRIO_PROCESS, 0, URGENT_NICE)
    group = pathlib.Path("/proc/self/autogroup")
    if group.exists():
        group.write_text(str(URGENT_NICE))


def cores():
    """The core of the client and the core of the server; one machine with one core has one."""
    usable = sorted(os.sched_getaffinity(0))
    return usable[0], usable[1 % len(usable)]


def cpu_name():
    text = pathlib.Path("/proc/cpuinfo").read_text()
    found = re.search(r"model name\s*:\s*(.+)", text)
    return found.group(1).strip() if found else platform.machine()


def describe():
    """Facts about the machine for the report; no name of it."""
    memory = int(re.search(r"MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text())[1])
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 1048576, 1),
        "kernel": re.match(r"[0-9.]+", platform.release()).group(),
        "system": " ".join(platform.freedesktop_os_release().get("PRETTY_NAME", "?").split())
        if hasattr(platform, "freedesktop_os_release")
        else platform.system(),
        "virtual": "hypervisor" in pathlib.Path("/proc/cpuinfo").read_text(),
    }
