"""The tests of commands, pipelines and clusters once more, through asyncio."""

from __future__ import annotations

from typing import Any

from tests.blocking import BlockingCase
from tests.test_cluster import ClusterTest as _ClusterTest
from tests.test_commands import CommandTest as _CommandTest
from tests.test_pipelines import PipelineTest as _PipelineTest
from tests.test_pipelines import WatchTest as _WatchTest

# What asyncio clients do not have, or what test_asyncio.py looks at in its own way.
_ELSEWHERE: Any = None


class AsyncCommandTest(BlockingCase, _CommandTest):
    test_as_a_mapping = _ELSEWHERE


class AsyncResp2Test(AsyncCommandTest):
    options = {"protocol": 2}


class AsyncResp3Test(AsyncCommandTest):
    options = {"protocol": 3}


class AsyncTextTest(AsyncCommandTest):
    options = {"decode_responses": True}


class AsyncPipelineTest(BlockingCase, _PipelineTest):
    pass


class AsyncWatchTest(BlockingCase, _WatchTest):
    test_transaction_tries_again = _ELSEWHERE


class AsyncClusterTest(BlockingCase, _ClusterTest):
    test_transactions = _ELSEWHERE
    test_connecting_fails_in_the_constructor = _ELSEWHERE
    test_closed = _ELSEWHERE


# unittest looks for tests in everything that a module has; these have been run in theirs.
del _ClusterTest, _CommandTest, _PipelineTest, _WatchTest
