package io.tendon.jedis;

import io.tendon.jedis.exceptions.Failure;
import io.tendon.jedis.exceptions.JedisException;
import java.io.Closeable;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Lends connections, one to each borrower, to any number of threads. The pool is in the native
 * core; nothing connects before a connection is needed or minIdle asks for one.
 */
public abstract class JedisPoolBase implements Closeable {
    private final Core core;
    private final int maxTotal;

    JedisPoolBase(Setup setup) {
        maxTotal = setup.pool == null ? GenericObjectPoolConfig.DEFAULT_MAX_TOTAL
                                      : setup.pool.getMaxTotal();
        core = new Core(CoreOptions.of(setup));
    }

    /**
     * Borrows a connection; close gives it back. JedisExhaustedPoolException when none became free,
     * else what connecting throws.
     */
    public Jedis getResource() {
        if (core.isClosed()) {
            throw notOpen();
        }
        try {
            return new Jedis(core, core.lease());
        } catch (JedisException failure) {
            throw failure.status() == Failure.CLOSED ? notOpen() : failure;
        }
    }

    private static JedisException notOpen() {
        String message =
                "Could not get a resource from the pool: it has been closed; make a new one";
        return new JedisException(message, new IllegalStateException("Pool not open"))
                .with(Failure.before(Failure.CLOSED, message));
    }

    /** As {@code resource.close()}. */
    public void returnResource(Jedis resource) {
        if (resource != null) {
            resource.close();
        }
    }

    /** Closes the connection instead of keeping it. */
    public void returnBrokenResource(Jedis resource) {
        if (resource != null) {
            resource.disconnect();
            resource.close();
        }
    }

    /** Borrows a connection for {@code use}. */
    public void withResource(Consumer<Jedis> use) {
        try (Jedis jedis = getResource()) {
            use.accept(jedis);
        }
    }

    /** Borrows a connection for {@code use}, and returns what that returns. */
    public <K> K withResourceGet(Function<Jedis, K> use) {
        try (Jedis jedis = getResource()) {
            return use.apply(jedis);
        }
    }

    /** Opens connections ahead, up to maxIdle. */
    public void addObjects(int count) {
        List<Jedis> borrowed = new ArrayList<>(count);
        try {
            for (int i = 0; i < count; i++) {
                borrowed.add(getResource());
            }
        } finally {
            borrowed.forEach(Jedis::close);
        }
    }

    /** Connections lent. 0 after close. */
    public int getNumActive() {
        return isClosed() ? 0 : core.stats().leased();
    }

    /** Connections open and not lent. 0 after close. */
    public int getNumIdle() {
        return isClosed() ? 0 : core.stats().idle();
    }

    /** Threads that wait for a connection. 0 after close. */
    public int getNumWaiters() {
        return isClosed() ? 0 : core.stats().waiting();
    }

    /** Connections opened so far. */
    public long getCreatedCount() {
        return isClosed() ? 0 : core.stats().created();
    }

    public int getMaxTotal() {
        return maxTotal;
    }

    public boolean isClosed() {
        return core.isClosed();
    }

    /** Closes all connections, lent ones too; commands that are running fail. */
    @Override
    public void close() {
        core.close();
    }

    public void destroy() {
        close();
    }
}
