"""What a thread of a program works with: subscriptions, pipelines, and calls yet to be made."""

import collections
import time

from ways import PATIENCE_S, give_up, of

KINDS = {"channel": "", "pattern": "p", "sharded": "s"}  # what their commands begin with


class Subscription:
    """A PubSub, and the messages that came while a confirmation was waited for."""

    def __init__(self, pubsub):
        self.pubsub = pubsub
        self.names = {prefix: set() for prefix in KINDS.values()}
        self.messages = collections.deque()

    async def next(self, seconds):
        # redis-py reads sharded channels of a cluster with a method of their own.
        readers = []
        if self.names["s"]:
            readers.append(getattr(self.pubsub, "get_sharded_message", self.pubsub.get_message))
        if not readers or self.names[""] or self.names["p"]:
            readers.append(self.pubsub.get_message)
        for read in readers:
            message = await of(read(timeout=seconds / len(readers)))
            if message is not None:
                return message
        return None

    async def change(self, word, prefix, names):
        """Subscribes or unsubscribes names and waits until the server has confirmed each."""
        known = self.names[prefix]
        asked = set(names) or set(known)
        if word == "subscribe":
            known |= asked
        await of(getattr(self.pubsub, prefix + word)(*names))
        end = time.monotonic() + PATIENCE_S
        missing = set(asked)
        while missing:
            message = await self.next(0.1)
            if message is None:
                if not self.pubsub.subscribed:
                    break  # nothing was, and some say nothing of that
                if time.monotonic() > end:
                    give_up(f"{prefix + word} of {missing} was not confirmed")
            elif message["type"] == prefix + word:
                missing.discard(message["channel"])
            elif message["type"].endswith("message"):
                self.messages.append(message)
        if word == "unsubscribe":
            known -= asked

    async def poll(self, seconds):
        end = time.monotonic() + seconds
        while not self.messages:
            message = await self.next(max(0.0, end - time.monotonic()))
            if message is not None and message["type"].endswith("message"):
                self.messages.append(message)
            elif time.monotonic() >= end:
                return None
        message = self.messages.popleft()
        return [message[field] for field in ("type", "pattern", "channel", "data")]


class Batch:
    """A pipeline of one client in one thread: watching at first, or queueing."""

    def __init__(self, pipe, watches=False):
        self.pipe, self.watches = pipe, watches
        self.queues = False
        self.queued = 0
        self.refused = {}  # place -> why the library did not even queue it

    def queue(self, call):
        try:
            call(self.pipe)
        except Exception as error:
            self.refused[self.queued] = error
        self.queued += 1

    async def execute(self):
        """The results in order, errors in their places; None when a watched key has changed."""
        try:
            results = await of(self.pipe.execute(raise_on_error=False))
            for place, error in sorted(self.refused.items()):
                results.insert(place, error)
            return results
        except Exception as error:
            if str(error).startswith("Watched variable changed"):
                return None  # any other WatchError says that the watch was lost
            raise
        finally:
            await of(self.pipe.reset())


class NoPipeline:
    """Instead of a pipeline that could not be had: what it is asked for fails with the cause."""

    def __init__(self, failure):
        self.failure = failure

    def __getattr__(self, _):
        raise self.failure

    def multi(self):
        pass

    unwatch = reset = multi


# The library's own methods, where their arguments are not those of the command.


def pairs(words):
    return dict(zip(words[::2], words[1::2]))


METHODS = {
    "mget": lambda client, *keys: client.mget(keys),
    "mset": lambda client, *words: client.mset(pairs(words)),
    "del": lambda client, *keys: client.delete(*keys),
    "hmget": lambda client, key, *fields: client.hmget(key, fields),
    "smismember": lambda client, key, *members: client.smismember(key, members),
    "zadd": lambda client, key, score, member: client.zadd(key, {member: score}),
    "zrange_withscores": lambda client, key, first, last: client.zrange(
        key, first, last, withscores=True
    ),
}


def method(name, words):
    """A function that calls the method of the client, or pipeline, that it is given."""
    own = METHODS.get(name)
    if own is not None:
        return lambda client: own(client, *words)
    return lambda client: getattr(client, name)(*words)


def command(words):
    """A function that gives the words to the client, or pipeline, that it is given."""
    name = as_text(words[0]).decode("utf-8", "surrogateescape")
    return lambda client: client.execute_command(name, *words[1:])


def as_text(value):
    """A value as an argument of a command."""
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return value
    return b"%d" % value if type(value) is int else b"other"
