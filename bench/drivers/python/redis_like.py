"""redis-py, valkey-py and tendon by the interface they share: redis_like.py MODULE words…, with
api=asyncio among them for their asyncio clients."""

import contextlib
import importlib
import sys

import blocking
import tasks
from job import CHANNEL, Job

MODULE = sys.argv.pop(1)
OURS = MODULE == "tendon"
# So many connections redis-py's pool has unless told otherwise; the next task would get an error.
POOL = 100


class Peer:
    """The blocking clients."""

    def __init__(self, job, library):
        self.job = job
        self.kind = library.RedisCluster if job.cluster else library.Redis

    def place(self):
        """Where to connect, as keyword arguments."""
        job = self.job
        if job.socket:
            return {"unix_socket_path": job.socket}
        if job.ca:
            return {"host": "localhost", "port": job.port, "ssl": True, "ssl_ca_certs": job.ca}
        return {"host": job.host, "port": job.port}

    def open(self):
        return self.kind(**self.place())

    def close(self, client):
        client.close()

    def lease(self, client):
        return client.client()

    def reconnect(self, client):
        client.connection_pool.disconnect(inuse_connections=False)

    def fill(self, client, names, values):
        """A pipeline with the commands in it."""
        pipe = client.pipeline(transaction=False)
        if values:
            for name, value in zip(names, values):
                pipe.set(name, value)
        else:
            for name in names:
                pipe.get(name)
        return pipe

    def pipeline(self, client, names, values):
        return self.fill(client, names, values).execute()

    def messages(self, client, messages):
        pipe = client.pipeline(transaction=False)
        for message in messages:
            pipe.publish(CHANNEL, message)
        return pipe

    def publish(self, client, messages):
        self.messages(client, messages).execute()

    def subscribe(self, client):
        pubsub = client.pubsub(ignore_subscribe_messages=True)
        pubsub.subscribe(CHANNEL)
        heard = (message["data"] for message in pubsub.listen() if message)
        return lambda: next(heard)


class AsyncPeer(Peer):
    """The clients for asyncio. More tasks than the peers' pools have connections wait for one."""

    def __init__(self, job, library):
        super().__init__(job, library)
        self.waiting_pool = library.BlockingConnectionPool

    def client(self):
        if OURS or self.job.concurrency <= POOL:
            return self.open()
        if self.job.cluster:
            return self.kind(**self.place(), max_connections=self.job.concurrency)
        return self.kind(connection_pool=self.waiting_pool(**self.place(), timeout=None))

    async def reconnect(self, client):
        await client.connection_pool.disconnect(inuse_connections=False)

    async def pipeline(self, client, names, values):
        return await self.fill(client, names, values).execute()

    async def publish(self, client, messages):
        await self.messages(client, messages).execute()

    @contextlib.asynccontextmanager
    async def subscription(self, client):
        async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(CHANNEL)
            heard = pubsub.listen()

            async def next_message():
                async for message in heard:
                    if message:
                        return message["data"]

            yield next_message


def main():
    job = Job()
    library = importlib.import_module(MODULE)
    name = {"redis": "redis-py", "valkey": "valkey-py"}.get(MODULE, MODULE)
    if job.words.get("api") == "asyncio" or job.mode in ("async", "failover"):
        peer = AsyncPeer(job, importlib.import_module(f"{MODULE}.asyncio"))
        job.run(lambda: tasks.work(job, peer), name, library.__version__)
    else:
        job.run(lambda: blocking.work(job, Peer(job, library)), name, library.__version__)


main()
