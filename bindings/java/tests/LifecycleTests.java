package io.tendon.jedis.tests;

import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisPool;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.Pipeline;
import io.tendon.jedis.exceptions.Executed;
import io.tendon.jedis.exceptions.JedisConnectionException;
import io.tendon.jedis.exceptions.JedisException;
import java.io.File;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/** Use after close, close during use, and clients that nobody closes. */
final class LifecycleTests {
    private static void isClosed(JedisException failure) {
        Check.equal(-4, failure.status());
        Check.equal(Executed.NO, failure.executed());
        Check.contains(failure.getMessage(), "closed");
    }

    @Case
    void closedPool() {
        JedisPool pool = Servers.pool(2);
        Jedis lent = pool.getResource();
        pool.close();
        pool.close();
        pool.destroy();
        Check.equal(true, pool.isClosed());
        JedisException failure = Check.fails(JedisException.class, pool::getResource);
        isClosed(failure);
        Check.contains(failure.getMessage(), "Could not get a resource from the pool");
        Check.equal("Pool not open", failure.getCause().getMessage());
        isClosed(Check.fails(JedisException.class, lent::ping));
        lent.close();
        lent.close();
        Check.equal(0, pool.getNumActive());
    }

    @Case
    void closedClients() {
        JedisPooled client = new JedisPooled(Servers.address("standalone"));
        client.ping();
        Pipeline pipeline = client.pipelined();
        pipeline.ping();
        client.close();
        isClosed(Check.fails(JedisException.class, client::ping));
        isClosed(Check.fails(JedisException.class, pipeline::sync));
        isClosed(Check.fails(JedisException.class, () -> client.transaction(true)));
        Jedis jedis = Servers.jedis();
        jedis.ping();
        jedis.close();
        isClosed(Check.fails(JedisException.class, jedis::ping));
        Jedis never = Servers.jedis();
        never.close();
        isClosed(Check.fails(JedisException.class, never::ping));
    }

    @Case
    void closeEndsBlockedCalls() throws Exception {
        JedisPooled client = new JedisPooled(Servers.address("standalone"));
        JedisPool pool = Servers.pool(1);
        Jedis lent = pool.getResource();
        AtomicReference<Throwable> blocked = new AtomicReference<>();
        AtomicReference<Throwable> onLease = new AtomicReference<>();
        AtomicReference<Throwable> waiting = new AtomicReference<>();
        List<Thread> threads =
                List.of(catching(blocked, () -> client.blpop(0, "java:lifecycle:none")),
                        catching(onLease, () -> lent.blpop(0, "java:lifecycle:none")),
                        catching(waiting, pool::getResource));
        Check.eventually("a thread waits for the pool", () -> pool.getNumWaiters() == 1);
        Check.eventually("a thread blocks", () -> client.getNumActive() == 1);
        client.close();
        pool.close();
        for (Thread thread : threads) {
            Check.ends(thread);
        }
        for (AtomicReference<Throwable> failure : List.of(blocked, onLease, waiting)) {
            Check.equal(-4, ((JedisException) failure.get()).status());
        }
        lent.close();
    }

    private static Thread catching(AtomicReference<Throwable> caught, Check.Action action) {
        Thread thread = new Thread(() -> {
            try {
                action.run();
            } catch (Throwable thrown) {
                caught.set(thrown);
            }
        });
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    @Case
    void closeDuringCallsIsSafe() throws Exception {
        for (int round = 0; round < 50; round++) {
            JedisPool pool = Servers.pool(4);
            JedisPooled client = new JedisPooled(Servers.address("standalone"));
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                boolean pooled = i % 2 == 0;
                threads.add(catching(new AtomicReference<>(), () -> {
                    while (true) {
                        if (pooled) {
                            pool.withResource(Jedis::ping);
                        } else {
                            client.ping();
                        }
                    }
                }));
            }
            Thread.sleep(round % 5);
            pool.close();
            client.close();
            for (Thread thread : threads) {
                Check.ends(thread);
            }
        }
    }

    @Case
    void jedisClosedByAnotherThread() throws Exception {
        try (JedisPool pool = Servers.pool(2)) {
            for (int round = 0; round < 200; round++) {
                Jedis jedis = pool.getResource();
                AtomicReference<Throwable> caught = new AtomicReference<>();
                Thread thread = catching(caught, () -> {
                    while (true) {
                        jedis.ping();
                    }
                });
                Thread.sleep(0, 100_000);
                jedis.close();
                Check.ends(thread);
                Check.that(caught.get() instanceof JedisException, "closed: " + caught.get());
            }
            pool.withResource(jedis -> Check.equal("PONG", jedis.ping()));
        }
    }

    @Case
    void forgottenClientsAreClosedByTheCollector() throws Exception {
        String name = "java-forgotten-" + ProcessHandle.current().pid();
        try (Jedis watcher = Servers.jedis()) {
            for (int i = 0; i < 5; i++) {
                new JedisPooled(
                        Servers.address("standalone"), Servers.config().clientName(name).build())
                        .ping();
            }
            Check.contains(watcher.clientList(), name);
            Check.eventually("forgotten connections are closed", () -> {
                System.gc();
                return !watcher.clientList().contains(name);
            });
        }
    }

    /** A Jedis that nobody gave back must not keep what its pool has. */
    @Case
    void forgottenJedisOfAPool() throws Exception {
        long before = descriptors();
        for (int i = 0; i < 20; i++) {
            JedisPool pool = Servers.pool(2);
            Check.equal("PONG", pool.getResource().ping());
            if (i % 2 == 0) {
                pool.close();
            }
            Check.equal("PONG", new Jedis(Servers.address("standalone")).ping());
        }
        Check.eventually("all descriptors are closed", () -> {
            System.gc();
            return descriptors() <= before + 5;
        });
    }

    private static long descriptors() {
        return new File("/proc/self/fd").list().length;
    }

    @Case
    void blockingCommandOutlivesTheReadTimeOut() {
        var config = Servers.config().timeoutMillis(1000).build();
        try (Jedis jedis = new Jedis(Servers.address("standalone"), config)) {
            long start = System.nanoTime();
            Check.equal(null, jedis.blpop(3, "java:lifecycle:none"));
            Check.that(System.nanoTime() - start > Duration.ofMillis(2900).toNanos(),
                    "waits as long as asked");
        }
    }

    @Case
    void lostConnectionOfASingleJedis() {
        try (Jedis jedis = Servers.jedis(); Jedis killer = Servers.jedis()) {
            killer.sendCommand(
                    () -> "CLIENT".getBytes(), "KILL", "ID", Long.toString(jedis.clientId()));
            Check.fails(JedisConnectionException.class, () -> {
                jedis.incr("java:lifecycle:lost");
            });
            Check.equal(true, jedis.isBroken());
            jedis.disconnect();
            Check.equal("PONG", jedis.ping());
        }
    }
}
