"""Installs what is missing with apt-get, after saying what and why. Starts no service and leaves
none running.
"""

import os
import pathlib
import re
import shutil

import console
from needs import BACKPORTS, NEEDS

SOURCES = pathlib.Path("/etc/apt/sources.list.d")
OUR_SOURCE = SOURCES / "tendon-backports.sources"
POLICY = pathlib.Path("/usr/sbin/policy-rc.d")
APT = ["apt-get", "-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3"]
# Services that a package enables by itself; ours run from a folder, so a new installation is
# switched off again.
SERVICES = {"redis-server": "redis-server", "valkey-server": "valkey-server"}


def require(*groups):
    """Makes every need of the groups met by installing what is missing, or raises Failure."""
    wanted = [need for need in NEEDS if set(need.groups) & set(groups)]
    missing = [need for need in wanted if not need.met()]
    if not missing:
        return
    console.say("To install with apt-get:")
    for need in missing:
        print(f"    {' '.join(need.packages):26} {need.reason}", flush=True)
    install(missing)
    still = [need for need in missing if not need.met()]
    if still:
        raise console.Failure(
            "installed, but still not usable: "
            + ", ".join(f"{need.name} {need.minimum} ({' '.join(need.packages)})" for need in still)
        )


def install(missing):
    if shutil.which("apt-get") is None:
        raise console.Failure("no apt-get here; install by hand what is listed above")
    root = as_root()
    if any(need.suite == BACKPORTS for need in missing):
        add_backports(root)
    must = lambda label, argv: console.must(
        label, root + argv, env=apt_environment(), timeout_s=1200
    )  # noqa: E731
    must("apt-get update", APT + ["update"])
    guarded = guard_services(root)
    try:
        plain = [name for need in missing if need.suite != BACKPORTS for name in need.packages]
        newer = [name for need in missing if need.suite == BACKPORTS for name in need.packages]
        if plain:
            must("apt-get install", APT + ["install", "-y", "--no-install-recommends"] + plain)
        if newer:
            must(
                "apt-get install from backports",
                APT + ["install", "-y", "--no-install-recommends", "-t", BACKPORTS] + newer,
            )
    finally:
        if guarded:
            console.run("allow services again", root + ["rm", "-f", str(POLICY)], quiet=True)
    switch_off_services(root, missing)


def as_root():
    """The words to put before a command that needs root."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo"):
        return ["sudo", "--preserve-env=DEBIAN_FRONTEND"]
    raise console.Failure("installing needs root, and there is no sudo; run this once as root")


def apt_environment():
    return dict(os.environ, DEBIAN_FRONTEND="noninteractive", NEEDRESTART_MODE="l")


def guard_services(root):
    """Forbids packages to start their services while they are installed. True when the guard is
    ours.
    """
    if POLICY.exists():
        return False
    script = f"printf '#!/bin/sh\\nexit 101\\n' > {POLICY} && chmod 755 {POLICY}"
    console.must("hold services back", root + ["sh", "-c", script], quiet=True)
    return True


def switch_off_services(root, missing):
    """Under systemd a new server package is also enabled for the next boot; that is undone here."""
    if not pathlib.Path("/run/systemd/system").is_dir():
        return
    for need in missing:
        for package in need.packages:
            if package in SERVICES:
                console.run(
                    f"switch off service {package}",
                    root + ["systemctl", "disable", "--now", SERVICES[package]],
                    quiet=True,
                )


def add_backports(root):
    """Adds the backports suite with the address and key of the machine's own Debian source, if it
    is missing.
    """
    if any(BACKPORTS in text for text in source_texts()):
        return
    uri, key = debian_source()
    text = f"Types: deb\nURIs: {uri}\nSuites: {BACKPORTS}\nComponents: main\n" + (
        f"Signed-By: {key}\n" if key else ""
    )
    console.say(f"adding {OUR_SOURCE} ({BACKPORTS} of {uri})")
    staged = console.LOGS / OUR_SOURCE.name
    console.LOGS.mkdir(parents=True, exist_ok=True)
    staged.write_text(text)
    console.must(
        "add backports", root + ["install", "-m", "644", str(staged), str(OUR_SOURCE)], quiet=True
    )


def source_texts():
    files = [pathlib.Path("/etc/apt/sources.list")]
    files += sorted(SOURCES.glob("*.list")) + sorted(SOURCES.glob("*.sources"))
    return [re.sub(r"(?m)^\s*#.*$", "", path.read_text()) for path in files if path.exists()]


def debian_source():
    """The address and key file of the configured bookworm source, in either notation of apt."""
    for text in source_texts():
        for paragraph in re.split(r"\n\s*\n", text):
            fields = dict(re.findall(r"(?m)^([A-Za-z-]+):[ \t]*(.+?)[ \t]*$", paragraph))
            if "bookworm" in fields.get("Suites", "").split() and "URIs" in fields:
                return fields["URIs"].split()[0], fields.get("Signed-By", "")
        for options, uri in re.findall(
            r"(?m)^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+bookworm\s", text
        ):
            key = re.search(r"signed-by=(\S+)", options)
            return uri, key.group(1) if key else ""
    raise console.Failure(
        "found no apt source of Debian bookworm to take the address of backports from; "
        f"add {BACKPORTS} to your apt sources by hand"
    )
