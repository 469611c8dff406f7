package io.tendon.jedis.tests;

import io.tendon.jedis.HostAndPort;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisCluster;
import io.tendon.jedis.ClusterPipeline;
import io.tendon.jedis.Response;
import io.tendon.jedis.Transaction;
import io.tendon.jedis.exceptions.Executed;
import io.tendon.jedis.exceptions.JedisClusterOperationException;
import io.tendon.jedis.exceptions.JedisDataException;
import io.tendon.jedis.exceptions.JedisException;
import io.tendon.jedis.exceptions.JedisMovedDataException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** JedisCluster against six nodes, plain and with TLS. */
final class ClusterTests {
    private static final String P = "java:cluster:";

    @Case
    void routesByKey() {
        try (JedisCluster cluster = new JedisCluster(Servers.nodes("cluster"))) {
            for (int i = 0; i < 200; i++) {
                Check.equal("OK", cluster.setex(P + i, 100, "v" + i));
            }
            for (int i = 0; i < 200; i++) {
                Check.equal("v" + i, cluster.get(P + i));
            }
            Check.equal(1L, cluster.hset(P + "{h}", "f", "v"));
            Check.equal(1L, cluster.del(P + "{h}"));
            Check.equal("PONG", cluster.ping());
        }
    }

    @Case
    void oneSeedIsEnough() {
        HostAndPort seed = Servers.nodes("cluster").iterator().next();
        try (JedisCluster cluster = new JedisCluster(seed)) {
            for (int i = 0; i < 50; i++) {
                cluster.set(P + "seed:" + i, "v", new io.tendon.jedis.params.SetParams().ex(100));
            }
        }
    }

    @Case
    void pipelineAcrossNodes() {
        try (JedisCluster cluster = new JedisCluster(Servers.nodes("cluster"));
                ClusterPipeline pipeline = cluster.pipelined()) {
            List<Response<String>> gets = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                pipeline.setex(P + "pipe:" + i, 100, "p" + i);
                gets.add(pipeline.get(P + "pipe:" + i));
            }
            pipeline.sync();
            for (int i = 0; i < 300; i++) {
                Check.equal("p" + i, gets.get(i).get());
            }
        }
    }

    @Case
    void transactionOfOneSlot() {
        try (JedisCluster cluster = new JedisCluster(Servers.nodes("cluster"))) {
            for (int i = 0; i < 10; i++) {
                Transaction transaction = cluster.multi();
                transaction.setex(P + "{" + i + "}a", 100, "1");
                transaction.incr(P + "{" + i + "}a");
                Check.equal(List.of("OK", 2L), transaction.exec());
            }
            Transaction across = cluster.multi();
            across.set(P + "a", "1");
            across.set(P + "b", "1");
            Check.fails(JedisClusterOperationException.class, across::exec);
            Check.fails(UnsupportedOperationException.class, () -> cluster.transaction(false));
        }
    }

    @Case
    void keysOfSeveralSlots() {
        try (JedisCluster cluster = new JedisCluster(Servers.nodes("cluster"))) {
            JedisException failure = Check.fails(JedisClusterOperationException.class,
                    () -> cluster.sunion(P + "a", P + "b"));
            Check.equal(-53, failure.status());
            Check.equal(Executed.NO, failure.executed());
            cluster.mset(P + "{t}a", "1", P + "{t}b", "2");
            Check.equal(List.of("1", "2"), cluster.mget(P + "{t}a", P + "{t}b"));
            cluster.del(P + "{t}a", P + "{t}b");
        }
    }

    @Case
    void withTls() {
        var config = Servers.config().sslOptions(Servers.trust().build()).build();
        try (JedisCluster cluster = new JedisCluster(Servers.nodes("tls_cluster"), config)) {
            for (int i = 0; i < 50; i++) {
                cluster.setex(P + i, 100, "v" + i);
                Check.equal("v" + i, cluster.get(P + i));
            }
        }
    }

    @Case
    void readsFromReplicas() {
        var config = Servers.config().readOnlyForRedisClusterReplicas().build();
        try (JedisCluster cluster = new JedisCluster(Servers.nodes("cluster"), config)) {
            cluster.setex(P + "replica", 100, "v");
            for (int i = 0; i < 20; i++) {
                String value = cluster.get(P + "replica");
                Check.that(
                        value == null || value.equals("v"), "a replica may be behind, never wrong");
            }
        }
    }

    @Case
    void singleConnectionIsRedirectedByTheProgram() {
        HostAndPort node = Servers.nodes("cluster").iterator().next();
        try (Jedis jedis = new Jedis(node)) {
            JedisMovedDataException moved = null;
            for (int i = 0; i < 100 && moved == null; i++) {
                try {
                    jedis.get(P + "moved:" + i);
                } catch (JedisMovedDataException failure) {
                    moved = failure;
                }
            }
            Check.that(moved != null && moved.getSlot() >= 0 && moved.getTargetNode().getPort() > 0,
                    "MOVED");
            Check.equal(Executed.NO, moved.executed());
        }
    }

    @Case
    void notACluster() {
        Exception failure = null;
        try (JedisCluster cluster = new JedisCluster(Servers.address("standalone"))) {
            cluster.get("x");
        } catch (JedisException expected) {
            failure = expected;
        }
        Check.that(failure instanceof JedisClusterOperationException
                        || failure instanceof JedisDataException,
                "a server without cluster mode is refused: " + failure);
        Check.contains(failure.getMessage(), "luster");
    }

    @Case
    void noSeedAnswers() {
        JedisException failure = Check.failsWithin(Check.PATIENCE,
                JedisClusterOperationException.class,
                () -> new JedisCluster(Set.of(new HostAndPort("localhost", 15699)), 300, 2));
        Check.contains(failure.getMessage(), "Could not initialize cluster slots cache.");
        Check.equal(Executed.NO, failure.executed());
    }
}
