package io.tendon.jedis.tests;

import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisPool;
import io.tendon.jedis.JedisPoolConfig;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.exceptions.JedisConnectionException;
import io.tendon.jedis.exceptions.JedisException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** The server is stopped in the middle and comes back. */
final class FailureTests {
    private static JedisPool pool(boolean testOnBorrow) {
        JedisPoolConfig limits = new JedisPoolConfig();
        limits.setTestOnBorrow(testOnBorrow);
        return new JedisPool(limits, "localhost", Servers.port("expendable"), 1000);
    }

    @Case
    void poolRecovers() throws Exception {
        ProcessHandle server = Servers.expendable();
        try (JedisPool pool = pool(true)) {
            pool.withResource(jedis -> jedis.setex("java:failure", 100, "v"));
            Servers.kill(server);
            for (int i = 0; i < 5; i++) {
                Check.failsWithin(Check.PATIENCE, JedisConnectionException.class,
                        () -> pool.withResource(jedis -> jedis.get("java:failure")));
            }
            Servers.startExpendable();
            Check.eventually("the pool answers again", () -> {
                try {
                    return "PONG".equals(pool.withResourceGet(Jedis::ping));
                } catch (JedisConnectionException notYet) {
                    return false;
                }
            });
            Check.equal(0, pool.getNumActive());
        }
    }

    @Case
    void sharedClientRecovers() throws Exception {
        ProcessHandle server = Servers.expendable();
        try (JedisPooled client = new JedisPooled(Servers.address("expendable"))) {
            client.ping();
            Servers.kill(server);
            Check.failsWithin(Check.PATIENCE, JedisConnectionException.class, client::ping);
            Servers.startExpendable();
            Check.eventually("the client answers again", () -> {
                try {
                    return "PONG".equals(client.ping());
                } catch (JedisConnectionException notYet) {
                    return false;
                }
            });
        }
    }

    @Case
    void acknowledgedIsNeverLostAndNothingHangs() throws Exception {
        ProcessHandle server = Servers.expendable();
        AtomicInteger acknowledged = new AtomicInteger();
        AtomicReference<JedisException> failure = new AtomicReference<>();
        try (JedisPool pool = pool(false)) {
            Thread thread = new Thread(() -> {
                try (Jedis jedis = pool.getResource()) {
                    while (true) {
                        jedis.incr("java:failure:counter");
                        acknowledged.incrementAndGet();
                    }
                } catch (JedisException expected) {
                    failure.set(expected);
                }
            });
            thread.start();
            Check.eventually("the thread works", () -> acknowledged.get() > 100);
            Servers.kill(server);
            Check.ends(thread);
            Check.that(failure.get() instanceof JedisConnectionException, "lost: " + failure.get());
        } finally {
            Servers.startExpendable();
        }
    }

    @Case
    void frozenServerMeetsTheDeadline() throws Exception {
        ProcessHandle server = Servers.expendable();
        try (JedisPool pool = pool(false)) {
            pool.withResource(Jedis::ping);
            Servers.signal(server, "STOP");
            try {
                JedisConnectionException late = Check.failsWithin(Check.PATIENCE,
                        JedisConnectionException.class, () -> pool.withResource(Jedis::ping));
                Check.equal(-31, late.status());
            } finally {
                Servers.signal(server, "CONT");
            }
            Check.eventually("the server answers again", () -> {
                try {
                    return "PONG".equals(pool.withResourceGet(Jedis::ping));
                } catch (JedisConnectionException notYet) {
                    return false;
                }
            });
        }
    }
}
