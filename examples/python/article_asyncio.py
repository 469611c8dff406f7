"""
The article's program with asyncio: the same functions with `await`, one client for any number of
tasks.
"""

import asyncio
import json
import logging
from typing import Any, Dict, List

import tendon.asyncio as redis
from endpoint import endpoint

HOST, PORT, CA_FILE = endpoint("standalone")
TLS: Dict[str, Any] = {"ssl": True, "ssl_cert_reqs": "required", "ssl_ca_certs": CA_FILE}

# Create a client - this is reused across your application
redis_client = redis.Redis(
    host=HOST,
    port=PORT,
    max_connections=50,
    socket_timeout=5,
    socket_connect_timeout=2,
    health_check_interval=30,
    **(TLS if CA_FILE else {}),
)


# Basic operations
async def cache_user(user_id: int, user_data: Dict[str, Any], ttl: int = 3600) -> None:
    """Cache user data with a 1-hour TTL."""
    key = f"user:{user_id}"
    await redis_client.setex(key, ttl, json.dumps(user_data))


async def get_cached_user(user_id: int) -> Any:
    """Retrieve cached user data."""
    key = f"user:{user_id}"
    data = await redis_client.get(key)
    if data:
        return json.loads(data)
    return None


# Using pipelines for batch operations
async def cache_multiple_users(users: List[Dict[str, Any]]) -> None:
    """Cache multiple users in a single round-trip."""
    async with redis_client.pipeline() as pipe:
        for user in users:
            key = f"user:{user['id']}"
            pipe.setex(key, 3600, json.dumps(user))
        await pipe.execute()


logger = logging.getLogger("article")


class Database:
    """What the article calls `db`: the truth behind the cache."""

    def __init__(self) -> None:
        self.reads = 0

    async def fetch_user(self, user_id: int) -> Dict[str, Any]:
        self.reads += 1
        return {"id": user_id, "name": f"user {user_id}"}


db = Database()


async def get_user(user_id: int) -> Any:
    """Get user with cache-aside pattern and graceful degradation."""
    try:
        cached = await get_cached_user(user_id)
        if cached:
            return cached
    except redis.RedisError as e:
        # Log the error but don't fail - fall through to database
        logger.warning(f"Redis error: {e}")

    # Cache miss or Redis unavailable - fetch from database
    user = await db.fetch_user(user_id)

    try:
        await cache_user(user_id, user)
    except redis.RedisError:
        pass  # Failed to cache - that's okay

    return user


async def main() -> None:
    async with redis_client:
        await redis_client.delete("user:1", *(f"user:{number}" for number in range(100, 1100)))

        await cache_user(1, {"id": 1, "name": "Ada"})
        assert await get_cached_user(1) == {"id": 1, "name": "Ada"}
        assert await get_cached_user(2000) is None
        print("cached and read back:", await get_cached_user(1))

        await cache_multiple_users([{"id": number} for number in range(100, 105)])
        assert await get_cached_user(104) == {"id": 104}
        print("five users cached in one round trip")

        numbers = range(105, 1100)
        wanted = [{"id": number, "name": f"user {number}"} for number in numbers]
        for _ in range(2):
            assert await asyncio.gather(*map(get_user, numbers)) == wanted
        assert db.reads == len(numbers), "the second answers came from the cache"
        connections = redis_client.stats()["open"]
        print(f"{len(numbers)} tasks at once asked twice, the database {db.reads} times,", end=" ")
        print(f"over {connections} connection{'s' * (connections != 1)}")

        try:
            await asyncio.wait_for(redis_client.blpop("queue:of-nobody", timeout=30), 0.1)
        except asyncio.TimeoutError:
            print("a waiting command ends with its task")


if __name__ == "__main__":
    asyncio.run(main())
