package io.tendon.jedis.tests;

import io.tendon.jedis.GenericObjectPoolConfig;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisPool;
import io.tendon.jedis.JedisPoolConfig;
import io.tendon.jedis.Transaction;
import io.tendon.jedis.exceptions.Executed;
import io.tendon.jedis.exceptions.JedisException;
import io.tendon.jedis.exceptions.JedisConnectionException;
import io.tendon.jedis.exceptions.JedisExhaustedPoolException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;

/** What JedisPool promises about its connections. */
final class PoolTests {
    private static final String NO_RESOURCE = "Could not get a resource from the pool";

    @Case
    void articleSettings() throws Exception {
        JedisPoolConfig limits = new JedisPoolConfig();
        limits.setMaxTotal(50);
        limits.setMaxIdle(20);
        limits.setMinIdle(5);
        limits.setTestOnBorrow(true);
        limits.setTestOnReturn(true);
        limits.setBlockWhenExhausted(true);
        limits.setMaxWaitMillis(2000);
        try (JedisPool pool =
                        new JedisPool(limits, "localhost", Servers.port("standalone"), 5000)) {
            try (Jedis jedis = pool.getResource()) {
                int ttlSeconds = 60;
                Check.equal("OK", jedis.setex("java:pool:article", ttlSeconds, "v"));
                Check.equal("v", jedis.get("java:pool:article"));
                Check.equal(1, pool.getNumActive());
            }
            Check.eventually("tested and given back", () -> pool.getNumActive() == 0);
            Check.equal(50, pool.getMaxTotal());
        }
    }

    @Case
    void reusesConnections() {
        try (JedisPool pool = Servers.pool(4)) {
            long id = pool.withResourceGet(Jedis::clientId);
            for (int i = 0; i < 20; i++) {
                Check.equal(id, pool.withResourceGet(Jedis::clientId));
            }
            Check.equal(1L, pool.getCreatedCount());
            Check.equal(1, pool.getNumIdle());
        }
    }

    @Case
    void exhaustedWithoutWaiting() {
        GenericObjectPoolConfig<Jedis> limits = new GenericObjectPoolConfig<>();
        limits.setMaxTotal(2);
        limits.setBlockWhenExhausted(false);
        try (JedisPool pool = Servers.pool(limits); Jedis one = pool.getResource();
                Jedis two = pool.getResource()) {
            JedisExhaustedPoolException failure = Check.failsWithin(Duration.ofSeconds(20),
                    JedisExhaustedPoolException.class, pool::getResource);
            Check.contains(failure.getMessage(), NO_RESOURCE);
            Check.that(failure.getCause() instanceof NoSuchElementException, "cause as in Jedis");
            Check.equal(Executed.NO, failure.executed());
            Check.equal(-40, failure.status());
            Check.equal("PONG", one.ping());
            pool.returnResource(two);
            pool.withResource(jedis -> Check.equal("PONG", jedis.ping()));
        }
    }

    @Case
    void exhaustedAfterWaiting() {
        GenericObjectPoolConfig<Jedis> limits = new GenericObjectPoolConfig<>();
        limits.setMaxTotal(1);
        limits.setMaxWaitMillis(300);
        try (JedisPool pool = Servers.pool(limits); Jedis one = pool.getResource()) {
            long start = System.nanoTime();
            JedisExhaustedPoolException failure = Check.failsWithin(Duration.ofSeconds(20),
                    JedisExhaustedPoolException.class, pool::getResource);
            Check.that(System.nanoTime() - start >= 280_000_000L, "waits for maxWait");
            Check.contains(failure.getMessage(), NO_RESOURCE);
            Check.contains(failure.getCause().getMessage(), "Timeout waiting for idle object");
            Check.equal(-41, failure.status());
            Check.equal("PONG", one.ping());
        }
    }

    @Case
    void waitersAreServedInOrder() throws Exception {
        try (JedisPool pool = Servers.pool(1)) {
            Jedis held = pool.getResource();
            ConcurrentLinkedQueue<Integer> order = new ConcurrentLinkedQueue<>();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                int number = i;
                Thread thread = new Thread(() -> pool.withResource(jedis -> order.add(number)));
                thread.start();
                threads.add(thread);
                Check.eventually("waiter " + i, () -> pool.getNumWaiters() == number + 1);
            }
            held.close();
            for (Thread thread : threads) {
                Check.ends(thread);
            }
            Check.equal(List.of(0, 1, 2, 3, 4, 5, 6, 7), List.copyOf(order));
        }
    }

    @Case
    void waitsWithoutLimitByDefault() throws Exception {
        GenericObjectPoolConfig<Jedis> limits = new GenericObjectPoolConfig<>();
        limits.setMaxTotal(1);
        int port = Servers.port("standalone");
        try (JedisPool pool = new JedisPool(limits, "localhost", port, 1000)) {
            Jedis held = pool.getResource();
            CountDownLatch done = new CountDownLatch(1);
            Thread thread = new Thread(() -> pool.withResource(jedis -> {
                jedis.ping();
                done.countDown();
            }));
            thread.start();
            /* Longer than both time-outs together: the wait is bounded by neither. */
            Thread.sleep(3000);
            Check.equal(1, pool.getNumWaiters());
            held.close();
            Check.ends(thread);
            Check.equal(0L, done.getCount());
        }
    }

    @Case
    void minIdleIsKeptReady() throws Exception {
        JedisPoolConfig limits = new JedisPoolConfig();
        limits.setMinIdle(3);
        try (JedisPool pool = Servers.pool(limits)) {
            pool.withResource(Jedis::ping);
            Check.eventually("three idle connections", () -> pool.getNumIdle() >= 3);
        }
    }

    @Case
    void maxIdleIsKept() throws Exception {
        GenericObjectPoolConfig<Jedis> limits = new GenericObjectPoolConfig<>();
        limits.setMaxIdle(2);
        try (JedisPool pool = Servers.pool(limits)) {
            pool.addObjects(6);
            Check.eventually("two idle connections", () -> pool.getNumIdle() == 2);
        }
    }

    @Case
    void testOnBorrowReplacesKilledConnections() {
        GenericObjectPoolConfig<Jedis> limits = new GenericObjectPoolConfig<>();
        limits.setTestOnBorrow(true);
        try (JedisPool pool = Servers.pool(limits); Jedis killer = Servers.jedis()) {
            for (int i = 0; i < 20; i++) {
                long id = pool.withResourceGet(Jedis::clientId);
                killer.sendCommand(() -> "CLIENT".getBytes(), "KILL", "ID", Long.toString(id));
                pool.withResource(jedis -> Check.that(jedis.clientId() != id, "a new connection"));
            }
        }
    }

    @Case
    void killedWhileLentIsNotLentAgain() {
        try (JedisPool pool = Servers.pool(1); Jedis killer = Servers.jedis()) {
            try (Jedis jedis = pool.getResource()) {
                long id = jedis.clientId();
                killer.sendCommand(() -> "CLIENT".getBytes(), "KILL", "ID", Long.toString(id));
                JedisConnectionException lost = Check.fails(JedisConnectionException.class, () -> {
                    jedis.incr("java:pool:killed");
                });
                Check.that(lost.executed() != Executed.YES, "nothing was answered");
                Check.equal(true, jedis.isBroken());
                JedisConnectionException again =
                        Check.fails(JedisConnectionException.class, jedis::ping);
                Check.contains(again.getMessage(), "broken connection");
                Check.equal(Executed.NO, again.executed());
            }
            pool.withResource(jedis -> Check.equal("PONG", jedis.ping()));
        }
    }

    @Case
    void dirtyConnectionsAreCleaned() {
        try (JedisPool pool = Servers.pool(1); Jedis other = Servers.jedis()) {
            try (Jedis jedis = pool.getResource()) {
                jedis.select(7);
                jedis.set("java:pool:seven", "7");
                jedis.watch("java:pool:watched");
            }
            try (Jedis jedis = pool.getResource()) {
                Check.equal(null, jedis.get("java:pool:seven"));
                other.set("java:pool:watched", "changed");
                Transaction transaction = jedis.multi();
                transaction.ping();
                Check.equal(List.of("PONG"), transaction.exec());
                jedis.sendCommand(() -> "MULTI".getBytes());
                jedis.sendCommand(() -> "SET".getBytes(), "java:pool:multi", "x");
            }
            try (Jedis jedis = pool.getResource()) {
                Check.equal("PONG", jedis.ping());
                Check.equal(null, jedis.get("java:pool:multi"));
                jedis.select(7);
                jedis.del("java:pool:seven");
            }
        }
    }

    @Case
    void brokenResourcesAreNotKept() {
        try (JedisPool pool = Servers.pool(1)) {
            Jedis jedis = pool.getResource();
            long id = jedis.clientId();
            pool.returnBrokenResource(jedis);
            Check.that(pool.withResourceGet(Jedis::clientId) != id, "a new connection");
            Jedis again = pool.getResource();
            pool.returnResource(again);
            pool.returnResource(null);
            Check.equal(0, pool.getNumActive());
        }
    }

    @Case
    void closedTwiceIsLentOnce() {
        try (JedisPool pool = Servers.pool(1)) {
            Jedis first = pool.getResource();
            first.close();
            Jedis second = pool.getResource();
            first.close();
            JedisException failure = Check.fails(JedisException.class, first::ping);
            Check.contains(failure.getMessage(), "has been closed");
            Check.equal("PONG", second.ping());
            Check.equal(1, pool.getNumActive());
            second.close();
        }
    }

    @Case
    void readTimeOutBreaksTheConnection() throws Exception {
        GenericObjectPoolConfig<Jedis> limits = new GenericObjectPoolConfig<>();
        limits.setMaxTotal(1);
        int port = Servers.port("expendable");
        ProcessHandle server = Servers.expendable();
        try (JedisPool pool = new JedisPool(limits, "localhost", port, 1000)) {
            try (Jedis jedis = pool.getResource()) {
                Servers.signal(server, "STOP");
                JedisConnectionException failure = Check.failsWithin(
                        Check.PATIENCE, JedisConnectionException.class, jedis::ping);
                Check.equal(-31, failure.status());
                Check.equal(Executed.UNKNOWN, failure.executed());
                Check.equal(true, jedis.isBroken());
            } finally {
                Servers.signal(server, "CONT");
            }
            Check.eventually("the server is back and so is the pool", () -> {
                try {
                    return "PONG".equals(pool.withResourceGet(Jedis::ping));
                } catch (JedisConnectionException notYet) {
                    return false;
                }
            });
        }
    }
}
