"""Makes the throw-away certificates of the TLS test servers with the openssl command."""

import pathlib
import subprocess
import time

import console

# They are made anew long before they end, so that no test run sees one expire.
VALID_DAYS = 30
RENEW_AFTER_SECONDS = 20 * 86400

NAMES = {
    "server": "DNS:localhost,DNS:*.tendon.test,IP:127.0.0.1,IP:::1",
    "wrong": "DNS:other.tendon.test",
    "client": None,
}


def openssl(*words):
    done = subprocess.run(
        ["openssl", *[str(word) for word in words]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    if done.returncode != 0:
        raise console.Failure(
            f"openssl {words[0]} failed: {done.stderr.decode(errors='replace').strip()}"
        )
    return done.stdout.decode()


def make_key(path):
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", path)
    path.chmod(0o600)


def make_ca(folder, name):
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    make_key(key)
    openssl(
        "req",
        "-x509",
        "-new",
        "-key",
        key,
        "-out",
        certificate,
        "-days",
        VALID_DAYS,
        "-subj",
        f"/O=tendon tests/CN={name}",
        "-addext",
        "keyUsage=critical,keyCertSign,cRLSign",
    )


def make_leaf(folder, name, alternative_names):
    key, request, certificate = (folder / f"{name}.{end}" for end in ("key", "csr", "crt"))
    extensions = folder / f"{name}.ext"
    make_key(key)
    openssl("req", "-new", "-key", key, "-out", request, "-subj", f"/O=tendon tests/CN={name}")
    lines = [
        "basicConstraints=CA:FALSE",
        "keyUsage=digitalSignature",
        "extendedKeyUsage=serverAuth,clientAuth",
    ]
    if alternative_names:
        lines.append(f"subjectAltName={alternative_names}")
    extensions.write_text("\n".join(lines) + "\n")
    openssl(
        "x509",
        "-req",
        "-in",
        request,
        "-CA",
        folder / "ca.crt",
        "-CAkey",
        folder / "ca.key",
        "-CAcreateserial",
        "-out",
        certificate,
        "-days",
        VALID_DAYS,
        "-extfile",
        extensions,
    )


def make(folder):
    """Fills `folder` with the CAs, certificates and a hashed CA directory, unless it holds fresh
    ones.
    """
    folder = pathlib.Path(folder)
    stamp = folder / "made"
    if stamp.exists() and 0 <= time.time() - stamp.stat().st_mtime < RENEW_AFTER_SECONDS:
        return
    folder.mkdir(parents=True, exist_ok=True)
    make_ca(folder, "ca")
    make_ca(folder, "other-ca")
    for name, alternative_names in NAMES.items():
        make_leaf(folder, name, alternative_names)
    hashed = folder / "ca-dir"
    hashed.mkdir(exist_ok=True)
    for old in hashed.iterdir():
        old.unlink()
    (
        hashed / (openssl("x509", "-noout", "-hash", "-in", folder / "ca.crt").strip() + ".0")
    ).write_bytes((folder / "ca.crt").read_bytes())
    stamp.touch()
