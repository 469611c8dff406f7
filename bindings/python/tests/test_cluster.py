"""The cluster client against a real cluster, plain and TLS."""

from __future__ import annotations

from typing import Any

import tendon
from tendon.cluster import ClusterNode, LoadBalancingStrategy, RedisCluster
from tests.support import CA_FILE, PORT, SERVERS, Case, dead_port, free_port, own_server, wait_until

NODES = SERVERS["cluster"]["nodes"]
SEED = {"host": NODES[0]["host"], "port": NODES[0]["port"]}


class ClusterTest(Case):
    def setUp(self) -> None:
        self.rc = self.cluster(**SEED, decode_responses=True)
        self.clear(self.rc)
        self.addCleanup(self.rc.close)

    def test_as_the_article_does(self) -> None:
        rc = self.cluster(**SEED, decode_responses=True, skip_full_coverage_check=True)
        self.assertIs(rc.set("py:key", "value", ex=300), True)
        self.assertEqual(rc.get("py:key"), "value")
        rc.close()

    def test_keys_of_every_slot(self) -> None:
        for number in range(200):
            self.rc.set(f"py:{number}", number)
        self.assertEqual([self.rc.get(f"py:{n}") for n in range(200)], [str(n) for n in range(200)])
        found = set(self.rc.scan_iter("py:*", count=100))
        self.assertEqual(found, {f"py:{number}" for number in range(200)})
        names = [f"py:{number}" for number in range(200)]
        self.assertEqual(self.rc.exists(*names, "py:none"), 200)
        self.assertEqual(
            self.rc.mget_nonatomic(names[:5], "py:none"), ["0", "1", "2", "3", "4", None]
        )
        self.assertEqual(self.rc.delete(*names), 200)

    def test_counting_no_keys(self) -> None:
        for count in (self.rc.delete, self.rc.exists, self.rc.unlink, self.rc.touch):
            self.assertEqual(count(), 0)

    def test_results_that_are_merged_also_from_one_node(self) -> None:
        self.assertIs(self.rc.client_unpause(), True)
        self.assertEqual(repr(self.rc.client_unblock(1000000)), "0")
        for nodes in ("primaries", "all"):
            self.assertIs(self.rc.client_unpause(target_nodes=nodes), True)
            self.assertEqual(repr(self.rc.client_unblock(1000000, target_nodes=nodes)), "0")

    def test_giving_slots_away(self) -> None:
        settings = "cluster-enabled yes", f"cluster-port {free_port()}"
        port = own_server(self, *settings, "cluster-require-full-coverage no")
        with tendon.Redis(port=port) as one:
            one.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
            wait_until(lambda: one.execute_command("CLUSTER INFO")["cluster_state"] == "ok")
        rc = self.cluster(host="127.0.0.1", port=port)
        self.addCleanup(rc.close)
        self.assertIs(rc.set("py:a", 1), True)
        self.assertEqual(rc.cluster_delslots(1, 16383), [True, True])
        with self.assertRaises(tendon.RedisClusterException):
            rc.cluster_delslots(20000)
        self.assertEqual(rc.cluster_slots().keys(), {(0, 0), (2, 16382)})
        self.assertIs(rc.cluster_addslots("default-node", 1), True)
        with self.fails(tendon.ResponseError, "reset"):
            rc.cluster_reset()  # it has a key
        rc.delete("py:a")
        self.assertIs(rc.cluster_reset(), True)
        with tendon.Redis(port=port) as one:
            self.assertEqual(one.execute_command("CLUSTER SLOTS"), [])
        self.assertIs(rc.cluster_reset(soft=False, target_nodes="all"), True)

    def test_several_seeds_and_urls(self) -> None:
        dead = ClusterNode("localhost", dead_port())
        seeds = [dead, *(ClusterNode(node["host"], node["port"]) for node in NODES)]
        with self.cluster(startup_nodes=seeds) as rc:
            self.assertTrue(rc.set("py:a", 1))
        with self.cluster(url=f"redis://{SEED['host']}:{SEED['port']}/0?protocol=2") as rc:
            self.assertEqual(rc.get("py:a"), b"1")

    def test_the_map(self) -> None:
        rc: Any = self.rc
        self.assertEqual(
            (len(rc.get_primaries()), len(rc.get_replicas()), len(rc.get_nodes())), (3, 3, 6)
        )
        self.assertEqual(
            (rc.keyslot("a"), rc.keyslot("{a}b"), rc.keyslot(b"123456789")), (15495, 15495, 12739)
        )
        node = rc.get_node_from_key("a")
        self.assertEqual(node.server_type, "primary")
        self.assertEqual(rc.get_node(node_name=node.name), node)
        self.assertEqual(rc.get_node(node.host, node.port), node)
        self.assertEqual(rc.get_node_from_key("a", replica=True).server_type, "replica")
        self.assertIn(rc.get_random_node(), rc.get_nodes())
        self.assertTrue(rc.set_default_node(node))
        self.assertEqual(rc.get_default_node(), node)

    def test_target_nodes(self) -> None:
        rc: Any = self.rc
        names = {node.name for node in rc.get_primaries()}
        self.assertIs(rc.ping(target_nodes="all"), True)
        self.assertEqual(set(rc.client_id(target_nodes="primaries")), names)
        self.assertEqual(set(rc.info("server", target_nodes=rc.PRIMARIES)), names)
        one = rc.get_replicas()[0]
        self.assertEqual(rc.info("replication", target_nodes=one)["role"], "slave")
        self.assertIsInstance(rc.dbsize(target_nodes="primaries"), int)
        rc.set("py:a", 1)
        self.assertEqual(rc.keys("py:*", target_nodes="primaries"), ["py:a"])
        self.assertEqual(rc.config_get("maxmemory", target_nodes=one), {"maxmemory": "0"})
        with self.fails(TypeError, "target_nodes"):
            rc.ping(target_nodes="everything")
        sha = rc.script_load("return 8")
        self.assertEqual([rc.evalsha(sha, 1, f"py:{number}") for number in range(9)], [8] * 9)

    def test_keys_in_different_slots(self) -> None:
        for use in (
            lambda: self.rc.sunion("py:a", "py:b"),
            lambda: self.rc.msetnx({"py:a": 1, "py:b": 2}),
            lambda: self.rc.rename("py:a", "py:b"),
        ):
            with self.fails(tendon.CrossSlotError, "slot") as it:
                use()
            self.assertIsInstance(it.error, tendon.RedisClusterException)
            self.assertEqual(it.error.executed, "no")
        self.assertEqual(self.rc.mset_nonatomic({"py:a": 1, "py:b": 2}), [True, True])
        self.assertTrue(self.rc.mset({"py:{t}a": 1, "py:{t}b": 2}))

    def test_pipelines(self) -> None:
        pipe = self.rc.pipeline()
        for number in range(100):
            pipe.set(f"py:{number}", number)
            pipe.get(f"py:{number}")
        self.assertEqual(pipe.execute()[1::2], [str(number) for number in range(100)])
        pipe.set("py:a", "x").incr("py:a").get("py:b")
        with self.fails(tendon.ResponseError, "Command # 2 (INCRBY py:a 1)"):
            pipe.execute()

    def test_transactions(self) -> None:
        with self.rc.pipeline(transaction=True) as pipe:
            pipe.set("py:{t}a", 1).incr("py:{t}a").get("py:{t}b")
            self.assertEqual(pipe.execute(), [True, 2, None])
            pipe.set("py:a", 1).set("py:b", 1)
            with self.fails(tendon.CrossSlotTransactionError, "same slot"):
                pipe.execute()
        self.assertEqual(self.rc.exists("py:a", "py:b"), 0)

        def double(pipe: Any) -> None:
            value = int(pipe.get("py:{t}a"))
            pipe.multi()
            pipe.set("py:{t}a", value * 2)

        self.assertEqual(self.rc.transaction(double, "py:{t}a"), [True])
        self.assertEqual(self.rc.get("py:{t}a"), "4")

    def test_reading_from_replicas(self) -> None:
        for options in (
            {"read_from_replicas": True},
            {"load_balancing_strategy": LoadBalancingStrategy.ROUND_ROBIN_REPLICAS},
        ):
            with self.cluster(**SEED, **options) as rc:
                rc.set("py:a", 1)
                rc.wait(1, 1000, target_nodes=rc.get_node_from_key("py:a"))
                self.assertEqual({rc.get("py:a") for _ in range(20)} - {None}, {b"1"})

    def test_tls(self) -> None:
        node = SERVERS["tls_cluster"]["nodes"][0]
        with self.cluster(
            host=node["host"], port=node["port"], ssl=True, ssl_ca_certs=CA_FILE
        ) as rc:
            for number in range(50):
                rc.set(f"py:{number}", number, ex=60)
            self.assertEqual([rc.get(f"py:{n}") for n in range(50)], [b"%d" % n for n in range(50)])

    def test_connecting_fails_in_the_constructor(self) -> None:
        quick = {"cluster_error_retry_attempts": 0, "socket_connect_timeout": 2}
        with self.fails(tendon.ClusterUnavailableError, "Redis Cluster cannot be connected") as it:
            RedisCluster(host="localhost", port=dead_port(), **quick)
        self.assertIsInstance(it.error, tendon.RedisClusterException)
        self.assertIsInstance(it.error, tendon.RedisError, "so that fallbacks that catch it work")
        with self.fails(tendon.ClusterUnavailableError, "cluster support disabled"):
            RedisCluster(host="localhost", port=PORT, **quick)
        with self.fails(tendon.RedisClusterException, "at least one node"):
            RedisCluster()
        with self.fails(tendon.RedisClusterException, "db"):
            RedisCluster(**SEED, db=0)
        with self.fails(TypeError, "did you mean 'decode_responses'"):
            RedisCluster(**SEED, decode_response=True)

    def test_closed(self) -> None:
        self.rc.close()
        with self.fails(tendon.ClientClosedError, "closed", "new one") as it:
            self.rc.get("py:a")
        self.assertEqual(it.error.executed, "no")
        self.assertIn("closed", repr(self.rc))
