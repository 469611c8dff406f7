package io.tendon.jedis;

import io.tendon.jedis.exceptions.Failure;
import io.tendon.jedis.exceptions.JedisException;
import io.tendon.jedis.exceptions.JedisValidationException;
import io.tendon.jedis.util.SafeEncoder;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executor;

/**
 * One native client, which has one pair of credentials, and who waits for it. Knows nothing of its
 * Core, which would never be collected otherwise.
 */
final class Engine {
    /**
     * Waiting for a lease is bounded by the pool's and the connection's own limits, not by a third
     * one.
     */
    private static final long LEASE_TIMEOUT_MS = 365L * 86_400_000;

    private final Handle handle;
    private volatile Driver driver;
    private volatile Waiter waiter;

    /** How much of the pool is used. */
    record Stats(int open, int idle, int leased, int waiting, long created) {
    }

    /** Is one of {@code all} until it has ended. The URL, when there is one, wins. */
    Engine(Map<String, String> options, String url, Set<Engine> all) {
        handle = new Handle(create(options, url), NativeClient::clientClose, ended -> {
            NativeClient.clientDestroy(ended);
            all.remove(this);
        });
        all.add(this);
    }

    private static long create(Map<String, String> options, String url) {
        Exchange exchange = Exchange.current();
        long config = NativeClient.configCreate();
        if (config == 0) {
            throw new OutOfMemoryError("no native memory for a configuration");
        }
        try {
            options.forEach((name, value) -> set(exchange, config, name, value));
            if (url != null) {
                exchange.check(NativeClient.configSetUrl(
                        config, text(url, "URL"), exchange.address(), exchange.capacity()));
            }
            long client =
                    NativeClient.clientCreate(config, exchange.address(), exchange.capacity());
            exchange.check(client == 0 ? -1 : 0);
            return client;
        } finally {
            NativeClient.configDestroy(config);
        }
    }

    private static void set(Exchange exchange, long config, String name, String value) {
        exchange.check(NativeClient.configSet(config, text(name, "option name"),
                SafeEncoder.encode(value), exchange.address(), exchange.capacity()));
    }

    /** The core reads names and URLs up to the first NUL, so one with a NUL would be half read. */
    private static byte[] text(String text, String what) {
        if (text.indexOf('\0') >= 0) {
            throw new JedisValidationException("The " + what + " has a NUL character; remove it")
                    .with(Failure.before(Failure.CONFIG, "NUL character"));
        }
        return SafeEncoder.encode(text);
    }

    /** False when it is closed or another one has taken its place; else it stays until leave. */
    boolean enter() {
        return handle.enter() != 0;
    }

    /** One who is inside stays longer. */
    void stay() {
        handle.stay();
    }

    void leave() {
        handle.leave();
        Driver waits = driver;
        if (waits != null && handle.isRetired()) {
            waits.look(false);
        }
    }

    /** Sends without waiting; {@code executor} may be null. One for each engine. */
    Driver drive(String name, Executor executor) {
        driver = new Driver(handle, name, executor);
        return driver;
    }

    Driver driver() {
        return driver;
    }

    /** For virtual threads, which must not wait in native code; null for others. */
    private Waiter waiter() {
        return Virtual.isCurrent() ? theWaiter() : null;
    }

    private Waiter theWaiter() {
        Waiter made = waiter;
        if (made == null) {
            synchronized (handle) {
                made = waiter;
                if (made == null) {
                    made = new Waiter(drive("tendon-virtual", null));
                    waiter = made;
                }
            }
        }
        return made;
    }

    <T> T call(Core core, long lease, CommandArguments arguments, Builder<T> builder) {
        Waiter waits = waiter();
        return waits != null
                ? waits.call(core, lease, arguments, builder)
                : Exchange.current().call(handle.pointer(), lease, arguments, builder);
    }

    /** Each command learns its own outcome; the last failure is returned. */
    JedisException batch(Core core, long lease, List<? extends Pending> commands) {
        Waiter waits = waiter();
        return waits != null ? waits.batch(core, lease, commands)
                             : Exchange.current().batch(handle.pointer(), lease, commands);
    }

    long lease(Core core) {
        Waiter waits = waiter();
        return waits != null ? waits.lease(core, LEASE_TIMEOUT_MS)
                             : Exchange.current().lease(handle.pointer(), LEASE_TIMEOUT_MS);
    }

    /** Without waiting: commands on it wait with it, and {@code ready} says when it is there. */
    long lease(AsyncCall<?> ready) {
        return driver.lease(ready, LEASE_TIMEOUT_MS);
    }

    void connect() {
        Exchange.current().connect(handle.pointer());
    }

    long subscription() {
        Exchange exchange = Exchange.current();
        long made = NativeClient.subscriptionOpen(
                handle.pointer(), exchange.address(), exchange.capacity());
        exchange.check(made == 0 ? -1 : 0);
        return made;
    }

    Stats stats() {
        Exchange exchange = Exchange.current();
        exchange.check(NativeClient.clientStats(
                handle.pointer(), exchange.address(), exchange.capacity()));
        ByteBuffer stats = exchange.buffer(); /* struct tendon_stats */
        return new Stats(stats.getInt(8), stats.getInt(12), stats.getInt(16), stats.getInt(28),
                stats.getLong(40));
    }

    /** Nobody begins to use it any more; it ends with the last who does. */
    void retire() {
        handle.retire();
        if (driver != null) {
            driver.look(false);
        }
    }

    /** Calls that are running end with CLOSED. */
    void close() {
        handle.close();
        if (driver != null) {
            driver.look(false);
        }
    }

    /** For the collector: nobody uses it any more. */
    void reclaim() {
        if (driver == null) {
            handle.reclaim();
        } else {
            driver.look(true);
        }
    }
}
