"""PubSub: subscriptions of blocking clients."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable, Optional

from tendon._pubsub import BaseClusterPubSub, BasePubSub, Message

__all__ = ["ClusterPubSub", "PubSub", "PubSubWorkerThread"]

# How long a worker waits for a message at least, so that one without pause does not spin.
_PAUSE_S = 0.1


class PubSub(BasePubSub):
    """What ``redis.pubsub()`` gives. One thread reads; others may subscribe meanwhile."""

    def get_message(
        self, ignore_subscribe_messages: bool = False, timeout: Optional[float] = 0.0
    ) -> Optional[Message]:
        """
        The next message, waiting up to ``timeout`` seconds for it (None: for ever), else None; also
        while nothing is subscribed, for another thread may do that.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while not self.subscribed:
            if end is not None and time.monotonic() >= end:
                return None
            time.sleep(_PAUSE_S / 10)
        left = None if end is None else max(0.0, end - time.monotonic())
        return super().get_message(ignore_subscribe_messages, left)

    def run_in_thread(
        self,
        sleep_time: float = 0.0,
        daemon: bool = False,
        exception_handler: Optional[Callable[[BaseException, "PubSub", Any], Any]] = None,
        pubsub: Optional["PubSub"] = None,
        sharded_pubsub: bool = False,
    ) -> "PubSubWorkerThread":
        """
        A thread, started, that hands messages to their handlers until its stop(). An exception ends
        it, unless ``exception_handler(error, pubsub, thread)`` takes it.
        """
        self._check_handlers()
        thread = PubSubWorkerThread(pubsub or self, sleep_time, daemon, exception_handler)
        thread.start()
        return thread


class PubSubWorkerThread(threading.Thread):
    """What ``run_in_thread()`` gives."""

    def __init__(
        self,
        pubsub: PubSub,
        sleep_time: float,
        daemon: bool = False,
        exception_handler: Optional[Callable[[BaseException, PubSub, Any], Any]] = None,
        sharded_pubsub: bool = False,
    ) -> None:
        super().__init__(daemon=daemon)
        self.pubsub, self.sleep_time = pubsub, sleep_time
        self.exception_handler = exception_handler
        self._running = threading.Event()

    def run(self) -> None:
        if self._running.is_set():
            return
        self._running.set()
        wait = max(self.sleep_time, _PAUSE_S)
        while self._running.is_set():
            try:
                self.pubsub.get_message(ignore_subscribe_messages=True, timeout=wait)
            except BaseException as error:
                if self.exception_handler is None:
                    raise
                self.exception_handler(error, self.pubsub, self)
        self.pubsub.close()

    def stop(self) -> None:
        """It ends after the message at hand, and closes the connection."""
        self._running.clear()


class ClusterPubSub(BaseClusterPubSub, PubSub):
    """
    The same for a cluster. Channels and patterns go to the node of the first name's slot, or to
    ``node`` (``host`` and ``port``); sharded channels to the primaries of their slots, and after
    them when slots move.
    """
