"""valkey-glide: glide_peer.py words…, with api=sync among them for valkey-glide-sync."""

import contextlib
import importlib.metadata
import sys

import blocking
import tasks
from job import CHANNEL, Job

if "api=sync" in sys.argv:
    import glide_sync as glide
else:
    import glide

# Its own default of 250 ms is for a failover to show; a loaded machine is slower at times.
PATIENCE_MS = 3000


class Peer:
    """The blocking client, which threads may share."""

    def __init__(self, job):
        self.job = job
        self.kind = glide.GlideClusterClient if job.cluster else glide.GlideClient
        self.batch_kind = glide.ClusterBatch if job.cluster else glide.Batch

    def options(self, **more):
        job = self.job
        where = glide.NodeAddress("localhost" if job.ca else job.host, job.port)
        if job.socket:
            where = glide.NodeAddress(unix_socket_path=job.socket)
        if job.mode != "failover":
            more["request_timeout"] = PATIENCE_MS
        if job.cluster:
            return glide.GlideClusterClientConfiguration([where], **more)
        if job.ca:
            with open(job.ca, "rb") as file:
                tls = glide.TlsAdvancedConfiguration(root_pem_cacerts=file.read())
            more["advanced_config"] = glide.AdvancedGlideClientConfiguration(tls_config=tls)
            more["use_tls"] = True
        return glide.GlideClientConfiguration([where], **more)

    def listening(self):
        """The options of a client that subscribes."""
        kind = glide.GlideClientConfiguration
        channels = {kind.PubSubChannelModes.Exact: {CHANNEL}}
        return self.options(pubsub_subscriptions=kind.PubSubSubscriptions(channels, None, None))

    def open(self):
        return self.kind.create(self.options())

    def close(self, client):
        client.close()

    def fill(self, names, values):
        """A batch with the commands in it."""
        batch = self.batch_kind(is_atomic=False)
        if values:
            for name, value in zip(names, values):
                batch.set(name, value)
        else:
            for name in names:
                batch.get(name)
        return batch

    def pipeline(self, client, names, values):
        return client.exec(self.fill(names, values), raise_on_error=True)

    def messages(self, messages):
        batch = self.batch_kind(is_atomic=False)
        for message in messages:
            batch.publish(message, CHANNEL)
        return batch

    def publish(self, client, messages):
        client.exec(self.messages(messages), raise_on_error=True)

    def subscribe(self, client):
        subscriber = self.kind.create(self.listening())
        return lambda: subscriber.get_pubsub_message().message


class AsyncPeer(Peer):
    """The client for asyncio."""

    @contextlib.asynccontextmanager
    async def client(self):
        client = await self.open()
        try:
            yield client
        finally:
            await client.close()

    async def pipeline(self, client, names, values):
        return await client.exec(self.fill(names, values), raise_on_error=True)

    async def publish(self, client, messages):
        await client.exec(self.messages(messages), raise_on_error=True)

    @contextlib.asynccontextmanager
    async def subscription(self, client):
        subscriber = await self.kind.create(self.listening())

        async def next_message():
            return (await subscriber.get_pubsub_message()).message

        yield next_message
        await subscriber.close()


def main():
    job = Job()
    blocks = job.words.get("api") == "sync"
    name = "valkey-glide-sync" if blocks else "valkey-glide"
    version = importlib.metadata.version(name)
    if blocks:
        job.run(lambda: blocking.work(job, Peer(job)), name, version)
    else:
        job.run(lambda: tasks.work(job, AsyncPeer(job)), name, version)


main()
