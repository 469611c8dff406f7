"""
The article's program "Using redis-py (Cluster Mode Enabled)": only the import and the host name are
changed. Run it as `article_cluster.py cluster` or `article_cluster.py tls_cluster`.
"""

from endpoint import endpoint
from tendon.cluster import RedisCluster

HOST, PORT, CA_FILE = endpoint("cluster")

# Connect to cluster-mode enabled Redis
redis_cluster = RedisCluster(
    host=HOST,
    port=PORT,
    decode_responses=True,
    skip_full_coverage_check=True,
    ssl=CA_FILE is not None,  # If TLS is enabled
    ssl_ca_certs=CA_FILE,
)

# Operations work the same way
redis_cluster.set("key", "value", ex=300)
result = redis_cluster.get("key")

assert result == "value", result


def owner(key: str) -> str:
    node = redis_cluster.get_node_from_key(key)
    assert node is not None
    return node.name


print("key =", result, "from", owner("key"))

for number in range(100):
    redis_cluster.set(f"article:{number}", number, ex=60)
nodes = {owner(f"article:{number}") for number in range(100)}
assert [redis_cluster.get(f"article:{number}") for number in range(100)] == list(
    map(str, range(100))
)
print("100 keys on", len(nodes), "primaries:", ", ".join(sorted(nodes)))
redis_cluster.close()
