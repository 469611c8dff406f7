package io.tendon.jedis.tests;

import io.tendon.jedis.GenericObjectPoolConfig;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisPool;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.Pipeline;
import io.tendon.jedis.Response;
import io.tendon.jedis.Transaction;
import io.tendon.jedis.exceptions.Executed;
import io.tendon.jedis.exceptions.JedisConnectionException;
import io.tendon.jedis.exceptions.JedisDataException;
import io.tendon.jedis.exceptions.JedisException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/**
 * Blocking clients on virtual threads. Run with one carrier thread, where whoever keeps it while he
 * waits stops all others.
 */
final class VirtualTests {
    /** What one thread does. */
    private interface Work {
        void run(int thread) throws Exception;
    }

    /** Java 21 or newer. */
    static boolean areThere() {
        return Runtime.version().feature() >= 21;
    }

    private static ExecutorService threads() throws Exception {
        return (ExecutorService) Executors.class.getMethod("newVirtualThreadPerTaskExecutor")
                .invoke(null);
    }

    private static void together(int count, Work work) throws Exception {
        ExecutorService executor = threads();
        List<Future<Object>> futures = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int number = i;
            Callable<Object> task = () -> {
                work.run(number);
                return null;
            };
            futures.add(executor.submit(task));
        }
        for (Future<Object> future : futures) {
            future.get(2 * Check.PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
        executor.shutdown();
    }

    @Case
    void thousandsShareOneClient() throws Exception {
        try (JedisPooled client = Servers.pooled()) {
            together(2000, thread -> {
                for (int i = 0; i < 5; i++) {
                    String value = thread + ":" + i;
                    Check.equal("OK", client.setex("java:virtual:" + thread, 100, value));
                    Check.equal(value, client.get("java:virtual:" + thread));
                }
            });
        }
    }

    @Case
    void hundredsShareAPool() throws Exception {
        try (JedisPool pool = Servers.pool(3)) {
            together(300, thread -> {
                try (Jedis jedis = pool.getResource()) {
                    Check.equal("OK", jedis.setex("java:virtual:" + thread, 100, "v" + thread));
                    Check.equal("v" + thread, jedis.get("java:virtual:" + thread));
                }
            });
            Check.equal(0, pool.getNumActive());
            Check.that(pool.getCreatedCount() <= 3, "created: " + pool.getCreatedCount());
        }
    }

    @Case
    void waitingDoesNotKeepTheCarrier() throws Exception {
        GenericObjectPoolConfig<io.tendon.jedis.Connection> many = new GenericObjectPoolConfig<>();
        many.setMaxTotal(64);
        try (JedisPooled client = new JedisPooled(many, "localhost", Servers.port("standalone"))) {
            String key = "java:virtual:list";
            client.del(key);
            CountDownLatch popped = new CountDownLatch(20);
            together(40, thread -> {
                if (thread < 20) {
                    Check.equal(2, client.blpop(20, key).size());
                    popped.countDown();
                } else {
                    client.rpush(key, "x");
                }
            });
            Check.equal(0L, popped.getCount());
        }
    }

    @Case
    void pipelinesAndTransactions() throws Exception {
        try (JedisPooled client = Servers.pooled()) {
            together(50, thread -> {
                String key = "java:virtual:n" + thread;
                try (Pipeline pipeline = client.pipelined()) {
                    pipeline.set(key, "1");
                    Response<Long> wrong = pipeline.lpush(key, "x");
                    pipeline.sync();
                    Check.fails(JedisDataException.class, wrong::get);
                }
                try (Transaction transaction = client.transaction(false)) {
                    transaction.watch(key);
                    transaction.multi();
                    Response<Long> incr = transaction.incr(key);
                    Check.equal(1, transaction.exec().size());
                    Check.equal(2L, incr.get());
                }
                Check.equal(1L, client.del(key));
            });
        }
    }

    @Case
    void failuresAreThrownHere() throws Exception {
        together(1, thread -> {
            try (JedisPooled nobody = new JedisPooled("localhost", 1)) {
                JedisConnectionException refused =
                        Check.fails(JedisConnectionException.class, nobody::ping);
                Check.equal(Executed.NO, refused.executed());
                Check.that(List.of(refused.getStackTrace()).toString().contains("VirtualTests"),
                        "the trace leads to the caller");
            }
            JedisPool pool = Servers.pool(1);
            Jedis lent = pool.getResource();
            Check.equal("PONG", lent.ping());
            pool.close();
            Check.equal(-4, Check.fails(JedisException.class, lent::ping).status());
        });
    }
}
