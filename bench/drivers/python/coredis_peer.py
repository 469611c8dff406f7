"""coredis; COREDIS_OPTIMIZED in the environment is its own word for less checking."""

import contextlib

import coredis
from coredis.connection import TCPLocation

import tasks
from job import CHANNEL, Job


class Peer:
    def __init__(self, job):
        self.job = job

    def client(self):
        job = self.job
        if job.cluster:
            return coredis.RedisCluster(startup_nodes=[TCPLocation(job.host, job.port)])
        if job.socket:
            return coredis.Redis(unix_socket_path=job.socket)
        if job.ca:
            return coredis.Redis("localhost", job.port, ssl=True, ssl_ca_certs=job.ca)
        return coredis.Redis(job.host, job.port)

    async def pipeline(self, client, names, values):
        async with client.pipeline(transaction=False) as pipe:
            if values:
                for name, value in zip(names, values):
                    pipe.set(name, value)
            else:
                for name in names:
                    pipe.get(name)
        return pipe.results

    async def publish(self, client, messages):
        async with client.pipeline(transaction=False) as pipe:
            for message in messages:
                pipe.publish(CHANNEL, message)

    @contextlib.asynccontextmanager
    async def subscription(self, client):
        pubsub = client.pubsub(channels=[CHANNEL], ignore_subscribe_messages=True)
        async with pubsub:

            async def next_message():
                message = None
                while message is None:
                    message = await pubsub.get_message()
                return message["data"]

            yield next_message


def main():
    job = Job()
    job.run(lambda: tasks.work(job, Peer(job)), "coredis", coredis.__version__)


main()
