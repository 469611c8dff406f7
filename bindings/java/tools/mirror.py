"""Collects what Jedis offers into spec/surface/mirror-java.txt, from its jar:

    python3 bindings/java/tools/mirror.py ~/.m2/repository/redis/clients/jedis/8.0.2/jedis-8.0.2.jar
"""

import pathlib
import re
import subprocess
import sys
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[3]
CLIENTS = ["Jedis", "UnifiedJedis", "Pipeline", "Transaction", "JedisCluster", "RedisClient"]
CLIENTS += ["RedisClusterClient", "JedisPool", "ScanIteration", "Response", "HostAndPort"]
CLIENTS += ["JedisPubSub", "BinaryJedisPubSub", "JedisShardedPubSub", "BinaryJedisShardedPubSub"]
CLIENTS += ["JedisMonitor", "StreamEntryID", "GeoCoordinate", "Module", "JedisClientConfig"]
CLIENTS += ["DefaultJedisClientConfig$Builder", "SslOptions$Builder", "CommandObject"]
CLIENTS += ["RedisCredentials", "DefaultRedisCredentials", "ClientSetInfoConfig"]
CLIENTS += ["RedisClient$Builder", "RedisClusterClient$Builder", "JedisCluster$Builder"]
CLIENTS += ["DefaultRedisCredentialsProvider", "DefaultJedisSocketFactory", "JedisPoolConfig"]
CLIENTS += ["ConnectionPoolConfig", "ClusterPipeline", "AbstractPipeline", "AbstractTransaction"]
# What a class has from others in its place.
BASES = {
    "Pipeline": ["PipeliningBase", "AbstractPipeline"],
    "Transaction": ["PipeliningBase", "AbstractTransaction"],
    "RedisClient$Builder": ["builders.StandaloneClientBuilder", "builders.AbstractClientBuilder"],
    "RedisClusterClient$Builder": [
        "builders.ClusterClientBuilder",
        "builders.AbstractClientBuilder",
    ],
    "JedisCluster$Builder": ["builders.ClusterClientBuilder", "builders.AbstractClientBuilder"],
    "JedisPool": ["util.Pool"],
    "ScanIteration": ["util.JedisCommandIterationBase"],
    "JedisPubSub": ["JedisPubSubBase"],
    "BinaryJedisPubSub": ["JedisPubSubBase"],
    "JedisShardedPubSub": ["JedisShardedPubSubBase"],
    "BinaryJedisShardedPubSub": ["JedisShardedPubSubBase"],
}
# Overridden with a narrower result: the compiler's, beside one of the same name.
NARROWER = {(f"{client}Client", "AbstractPipeline") for client in ("Redis", "RedisCluster")}
NARROWER |= {("JedisCluster", "AbstractPipeline")}
OF_OBJECT = {"equals", "hashCode", "toString", "compare"}
OF_OBJECT |= {"values", "valueOf", "getRaw", "addParams"}
BOXES = {"Long": "long", "Double": "double", "Boolean": "boolean"}
HEAD = """\
# Every public method of Jedis {version}: name, result(parameters), and the classes that have it;
# written by bindings/java/tools/mirror.py from its jar. Types without their parameters; the
# Response<T> of pipelines and transactions as T; constants of enums as methods; constructors as
# methods with the name new and without a result.
"""


def erased(text):
    """Simple names without type parameters."""
    while "<" in text:
        text = re.sub(r"<[^<>]*>", "", text)
    text = re.sub(r"\b(?:[a-z_0-9]+\.)+(?=[A-Z])", "", text).replace("$", ".")
    return text.strip()


def lines_of(jar, name):
    command = ["javap", "-cp", str(jar), "-public", f"redis.clients.jedis.{name}"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.splitlines()


def methods(jar, name):
    """(name, result(parameters)) of what one class declares."""
    for line in lines_of(jar, name):
        constant = re.match(r"  public static final redis\S+\.(\w+) ([A-Z_0-9]+);", line)
        found = re.match(r"  public (.*?)(\w+)\((.*)\)(?: throws .*)?;$", line)
        if constant and "args." in name:
            yield constant[2], f"{constant[1]}()"
        elif found and not found[1].endswith(" "):
            yield "new", f"({erased(found[3]).replace(', ', ',')})"
        elif found and found[2] not in OF_OBJECT and found[1].endswith(" "):
            head = re.sub(r"\b(static|final|abstract|default|synchronized)\b", "", found[1]).strip()
            result = re.sub(r"^<.*> (?=\S+$)", "", head)
            result = re.sub(r".*Response<(.*)>$", r"\1", result)
            parameters = erased(found[3]).replace(", ", ",")
            result = erased(result)
            bridge = "Pool" in name and "Object" in (result, parameters)
            if bridge or re.match(r"Base\w+Params", result) or (name, result) in NARROWER:
                continue  # the compiler's, beside one of the same name
            yield found[2], f"{BOXES.get(result, result)}({parameters})"


def collect(jar):
    with zipfile.ZipFile(jar) as archive:
        folder = "redis/clients/jedis/"
        names = [n[len(folder) : -6] for n in archive.namelist() if n.startswith(folder)]
    wanted = r"(params|resps|args|exceptions)/[A-Za-z]+"
    small = [n.replace("/", ".") for n in names if re.fullmatch(wanted, n)]
    found = {}
    for name in CLIENTS + sorted(small):
        shown = name.rsplit(".", 1)[-1].replace("$", ".")
        for part in [name] + BASES.get(name, []):
            for method, signature in methods(jar, part):
                if method == "new" and part != name:
                    continue  # of the base
                classes = found.setdefault((method, signature), [])
                if shown not in classes:
                    classes.append(shown)
    return found


def main():
    jar = pathlib.Path(sys.argv[1])
    version = jar.stem.rsplit("-", 1)[-1]
    rows = sorted(collect(jar).items(), key=lambda row: (row[0][0].lower(), row[0]))
    text = HEAD.format(version=version)
    text += "".join(f"{n} {signature} {' '.join(c)}\n" for (n, signature), c in rows)
    (ROOT / "spec/surface/mirror-java.txt").write_text(text)


if __name__ == "__main__":
    main()
