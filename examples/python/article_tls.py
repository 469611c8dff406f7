"""
The article's program "Using redis-py with TLS": only the import, host name and CA file are changed.
"""

import tendon as redis
from endpoint import endpoint

HOST, PORT, CA_FILE = endpoint("tls")

# Connection with TLS enabled
redis_client = redis.Redis(
    host=HOST,
    port=PORT,
    ssl=True,
    ssl_cert_reqs="required",
    ssl_ca_certs=CA_FILE,
    socket_timeout=5,
    decode_responses=True,  # Return strings instead of bytes
)

# Test the connection
redis_client.ping()
print("Connected to ElastiCache Redis with TLS")

redis_client.set("article:tls", "grün", ex=60)
assert redis_client.get("article:tls") == "grün"
redis_client.close()
