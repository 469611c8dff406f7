"""Which test servers there are and how each is configured. Starting and stopping them is
servers.py.
"""

import pathlib
import secrets

HOST = "localhost"
CLUSTER_NODES = 6
CLUSTER_PRIMARIES = 3
TLS_CLUSTER_OFFSET = 100
# A socket address holds 108 bytes with its end mark.
SOCKET_PATH_MAX = 107

# The same for all: nothing is written to disk, DEBUG works, failures are noticed within a second.
COMMON = """\
bind 127.0.0.1 -::1
protected-mode no
daemonize no
set-proc-title no
save ""
appendonly no
tcp-backlog 128
enable-debug-command yes
repl-diskless-sync yes
repl-diskless-sync-delay 0
repl-ping-replica-period 1
"""

CLUSTER = """\
cluster-enabled yes
cluster-config-file nodes.conf
cluster-node-timeout 1000
cluster-require-full-coverage no
cluster-allow-reads-when-down no
"""


class Server:
    """One server process: a name, a port and the lines of its configuration beyond COMMON."""

    def __init__(self, name, port, lines=(), tls=None, password=None, primary_port=None):
        self.name = name
        self.port = port
        self.lines = list(lines)
        self.tls = tls
        self.password = password
        self.primary_port = primary_port

    def config_text(self, folder):
        text = COMMON + f"dir {folder}\nlogfile {folder}/server.log\n"
        if self.tls:
            text += (
                f"port 0\ntls-port {self.port}\ntls-replication yes\n"
                f"tls-ca-cert-file {self.tls['ca']}\n"
                f"tls-cert-file {self.tls['cert']}\ntls-key-file {self.tls['key']}\n"
                f"tls-auth-clients {self.tls['clients']}\n"
            )
        else:
            text += f"port {self.port}\n"
        return text + "".join(line + "\n" for line in self.lines)


class Testbed:
    """Every server of one folder, with the ports and secrets chosen for it."""

    def __init__(self, folder, base_port, cluster_port):
        self.folder = pathlib.Path(folder)
        self.certificates = self.folder / "tls"
        self.base_port = base_port
        self.cluster_port = cluster_port
        self.passwords = {name: secrets.token_hex(8) for name in ("default", "app", "reader")}
        self.servers = (
            self.single_servers() + self.cluster_servers(False) + self.cluster_servers(True)
        )

    def socket_path(self):
        path = str(self.folder / "standalone.sock")
        return path if len(path) <= SOCKET_PATH_MAX else f"/tmp/tendon-{self.base_port}.sock"

    def tls(self, certificate="server", clients="no"):
        name = self.certificates
        return {
            "ca": f"{name}/ca.crt",
            "cert": f"{name}/{certificate}.crt",
            "key": f"{name}/{certificate}.key",
            "clients": clients,
        }

    def single_servers(self):
        port, words = self.base_port, self.passwords
        replica = [f"replicaof 127.0.0.1 {port + 2}"]
        return [
            Server("standalone", port, [f"unixsocket {self.socket_path()}", "unixsocketperm 700"]),
            Server(
                "acl",
                port + 1,
                [
                    f"user default on >{words['default']} ~* &* +@all",
                    f"user app on >{words['app']} ~* &* +@all",
                    f"user reader on >{words['reader']} ~app:* resetchannels "
                    "-@all +@read +@connection",
                ],
                password=words["default"],
            ),
            Server("primary", port + 2),
            Server("replica-1", port + 3, replica, primary_port=port + 2),
            Server("replica-2", port + 4, replica, primary_port=port + 2),
            Server("tls", port + 5, tls=self.tls()),
            Server("mtls", port + 6, tls=self.tls(clients="yes")),
            Server("wrong_cert", port + 7, tls=self.tls("wrong")),
            Server("expendable", port + 8),
        ]

    def cluster_servers(self, tls):
        first = self.cluster_port + (TLS_CLUSTER_OFFSET if tls else 0)
        lines = CLUSTER.splitlines()
        if tls:
            lines += [
                "tls-cluster yes",
                f"cluster-announce-hostname {HOST}",
                "cluster-preferred-endpoint-type hostname",
            ]
        name = "tls_cluster" if tls else "cluster"
        return [
            Server(f"{name}-{index}", first + index, lines, tls=self.tls() if tls else None)
            for index in range(CLUSTER_NODES)
        ]

    def ports(self):
        """Every port that has to be free, the cluster bus included."""
        buses = [server.port + 10000 for server in self.servers if "cluster" in server.name]
        return [server.port for server in self.servers] + buses

    def describe(self, processes):
        """What TENDON_SERVERS says, given the pid and command of each server by name."""

        def entry(name, **more):
            server = next(server for server in self.servers if server.name == name)
            return dict({"host": HOST, "port": server.port}, **processes[name], **more)

        def nodes(name):
            return [
                entry(f"{name}-{index}", role="primary" if index < CLUSTER_PRIMARIES else "replica")
                for index in range(CLUSTER_NODES)
            ]

        ca, folder, words = f"{self.certificates}/ca.crt", self.certificates, self.passwords
        return {
            "ca_file": ca,
            "other_ca_file": f"{folder}/other-ca.crt",
            "unix_socket": self.socket_path(),
            "standalone": entry("standalone", unix_socket=self.socket_path()),
            "acl": entry(
                "acl",
                username="app",
                password=words["app"],
                default_password=words["default"],
                readonly_username="reader",
                readonly_password=words["reader"],
            ),
            "replicated": {
                "primary": entry("primary"),
                "replicas": [entry("replica-1"), entry("replica-2")],
            },
            "tls": entry("tls", ca_file=ca, ca_dir=f"{folder}/ca-dir"),
            "mtls": entry(
                "mtls",
                ca_file=ca,
                cert_file=f"{folder}/client.crt",
                key_file=f"{folder}/client.key",
            ),
            "wrong_cert": entry("wrong_cert", ca_file=ca, certificate_name="other.tendon.test"),
            "expendable": entry("expendable"),
            "cluster": {"nodes": nodes("cluster")},
            "tls_cluster": {"ca_file": ca, "nodes": nodes("tls_cluster")},
        }
