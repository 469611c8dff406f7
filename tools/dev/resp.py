"""A few lines of RESP2, enough to ask the test servers whether they are ready. Not the product."""

import socket
import ssl


class ServerError(Exception):
    """An error reply."""


class Connection:
    """One short-lived connection to a test server on loopback, or on a Unix socket."""

    def __init__(self, port, tls=None, password=None, timeout_s=2.0):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout_s)
        if tls:
            context = ssl.create_default_context(cafile=tls["ca"])
            context.check_hostname = (
                False  # wrong_cert is asked too; what matters here is that it answers
            )
            context.load_cert_chain(tls["cert"], tls["key"])
            self.socket = context.wrap_socket(self.socket)
        self.reader = self.socket.makefile("rb")
        if password:
            self.call("AUTH", password)

    def __enter__(self):
        return self

    def __exit__(self, *_reason):
        self.reader.close()
        self.socket.close()

    def call(self, *words):
        parts = [str(word).encode(errors="surrogateescape") for word in words]
        message = b"*%d\r\n" % len(parts) + b"".join(
            b"$%d\r\n%s\r\n" % (len(part), part) for part in parts
        )
        self.socket.sendall(message)
        return self.read()

    def read(self):
        line = self.reader.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2].decode(errors="surrogateescape")
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        if kind == b"-":
            raise ServerError(rest)
        if kind == b"*":
            return [self.read() for _ in range(int(rest))]
        if kind != b"$":
            raise ConnectionError(f"not RESP: {line!r}")
        if int(rest) < 0:
            return None
        return self.reader.read(int(rest) + 2)[:-2].decode(errors="surrogateescape")


def info(connection, section):
    """INFO of one section as a dict."""
    lines = connection.call("INFO", section).splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
