"""
The article's program "Using redis-py (Cluster Mode Disabled)", with its cache-aside function: only
the import and the host name are changed, and types declared.
"""

import json
import logging
from typing import Any, Dict, List

import tendon as redis
from endpoint import endpoint

HOST, PORT, _ = endpoint("standalone")

# Create a connection pool - this is reused across your application
redis_pool = redis.ConnectionPool(
    host=HOST,
    port=PORT,
    db=0,
    max_connections=50,
    socket_timeout=5,
    socket_connect_timeout=2,
    retry_on_timeout=True,
    health_check_interval=30,
    # Enable TLS if your cluster requires it
    # ssl=True,
    # ssl_cert_reqs='required',
)

# Create a client from the pool
redis_client = redis.Redis(connection_pool=redis_pool)


# Basic operations
def cache_user(user_id: int, user_data: Dict[str, Any], ttl: int = 3600) -> None:
    """Cache user data with a 1-hour TTL."""
    key = f"user:{user_id}"
    redis_client.setex(key, ttl, json.dumps(user_data))


def get_cached_user(user_id: int) -> Any:
    """Retrieve cached user data."""
    key = f"user:{user_id}"
    data = redis_client.get(key)
    if data:
        return json.loads(data)
    return None


# Using pipelines for batch operations
def cache_multiple_users(users: List[Dict[str, Any]]) -> None:
    """Cache multiple users in a single round-trip."""
    pipe = redis_client.pipeline()
    for user in users:
        key = f"user:{user['id']}"
        pipe.setex(key, 3600, json.dumps(user))
    pipe.execute()


logger = logging.getLogger("article")


class Database:
    """What the article calls `db`: the truth behind the cache."""

    def __init__(self) -> None:
        self.reads = 0

    def fetch_user(self, user_id: int) -> Dict[str, Any]:
        self.reads += 1
        return {"id": user_id, "name": f"user {user_id}"}


db = Database()


def get_user(user_id: int) -> Any:
    """Get user with cache-aside pattern and graceful degradation."""
    try:
        cached = get_cached_user(user_id)
        if cached:
            return cached
    except redis.RedisError as e:
        # Log the error but don't fail - fall through to database
        logger.warning(f"Redis error: {e}")

    # Cache miss or Redis unavailable - fetch from database
    user = db.fetch_user(user_id)

    try:
        cache_user(user_id, user)
    except redis.RedisError:
        pass  # Failed to cache - that's okay

    return user


def main() -> None:
    redis_client.delete("user:1", "user:7", *(f"user:{number}" for number in range(100, 105)))

    cache_user(1, {"id": 1, "name": "Ada"})
    assert get_cached_user(1) == {"id": 1, "name": "Ada"}
    assert get_cached_user(2000) is None
    print("cached and read back:", get_cached_user(1), "for", redis_client.ttl("user:1"), "s")

    cache_multiple_users([{"id": number} for number in range(100, 105)])
    assert get_cached_user(104) == {"id": 104}
    print("five users cached in one round trip")

    assert get_user(7) == get_user(7) == {"id": 7, "name": "user 7"}
    assert db.reads == 1, "the second answer came from the cache"
    print("cache-aside: asked twice, the database once")
    redis_pool.close()


if __name__ == "__main__":
    main()
