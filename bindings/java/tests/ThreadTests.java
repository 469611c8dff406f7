package io.tendon.jedis.tests;

import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisCluster;
import io.tendon.jedis.JedisPool;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.Pipeline;
import io.tendon.jedis.Response;
import io.tendon.jedis.commands.JedisCommands;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Many threads: no value ever reaches another thread, no connection is lost. */
final class ThreadTests {
    private static final int THREADS = 64;
    private static final int OPERATIONS = 500;

    /** What one thread does. */
    private interface Work {
        void run(int thread) throws Exception;
    }

    private static void together(Work work) throws Exception {
        ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < THREADS; i++) {
            int number = i;
            Thread thread = new Thread(() -> {
                try {
                    work.run(number);
                } catch (Throwable thrown) {
                    failures.add(thrown);
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        if (!failures.isEmpty()) {
            throw new AssertionError(failures.size() + " threads failed", failures.peek());
        }
    }

    private static void setAndGet(JedisCommands client, int thread, int i) {
        String key = "java:threads:" + thread;
        String value = thread + ":" + i + ":" + "v".repeat(i % 300);
        Check.equal("OK", client.setex(key, 100, value));
        Check.equal(value, client.get(key));
    }

    @Case
    void pool() throws Exception {
        try (JedisPool pool = Servers.pool(8)) {
            together(thread -> {
                for (int i = 0; i < OPERATIONS; i++) {
                    int number = i;
                    pool.withResource(jedis -> setAndGet(jedis, thread, number));
                }
            });
            Check.equal(0, pool.getNumActive());
            Check.that(pool.getNumIdle() <= 8, "idle: " + pool.getNumIdle());
            Check.that(pool.getCreatedCount() <= 8, "created: " + pool.getCreatedCount());
        }
    }

    @Case
    void sharedClient() throws Exception {
        try (JedisPooled client = Servers.pooled()) {
            together(thread -> {
                for (int i = 0; i < OPERATIONS; i++) {
                    setAndGet(client, thread, i);
                }
            });
        }
    }

    @Case
    void cluster() throws Exception {
        var patient = Servers.patient().build();
        try (JedisCluster client = new JedisCluster(Servers.nodes("cluster"), patient)) {
            together(thread -> {
                for (int i = 0; i < OPERATIONS / 5; i++) {
                    setAndGet(client, thread, i);
                }
            });
        }
    }

    @Case
    void pipelines() throws Exception {
        try (JedisPooled client = Servers.pooled()) {
            together(thread -> {
                for (int round = 0; round < 10; round++) {
                    List<Response<String>> echoes = new ArrayList<>();
                    try (Pipeline pipeline = client.pipelined()) {
                        for (int i = 0; i < 100; i++) {
                            echoes.add(pipeline.echo(thread + ":" + round + ":" + i));
                        }
                    }
                    for (int i = 0; i < 100; i++) {
                        Check.equal(thread + ":" + round + ":" + i, echoes.get(i).get());
                    }
                }
            });
        }
    }

    @Case
    void singleConnections() throws Exception {
        together(thread -> {
            try (Jedis jedis = Servers.jedis()) {
                for (int i = 0; i < 50; i++) {
                    setAndGet(jedis, thread, i);
                }
            }
        });
    }
}
