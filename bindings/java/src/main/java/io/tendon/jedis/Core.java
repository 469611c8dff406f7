package io.tendon.jedis;

import io.tendon.jedis.exceptions.Failure;
import io.tendon.jedis.exceptions.JedisException;
import io.tendon.jedis.exceptions.JedisValidationException;
import io.tendon.jedis.util.SafeEncoder;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;

/** One native client: its options, its commands, its leases. Any number of threads may use it. */
final class Core {
    /**
     * Waiting for a lease is bounded by the pool's and the connection's own limits, not by a third
     * one.
     */
    private static final long LEASE_TIMEOUT_MS = 365L * 86_400_000;

    private static final Cleaner CLEANER = Cleaner.create();

    private final Handle handle;
    private final Backstop backstop;
    private volatile Waiter waiter;

    /** For a program that forgot close, of this or of a Jedis that it borrowed from this. */
    private static final class Backstop implements Runnable {
        private final Handle handle;
        private volatile Driver driver;

        Backstop(Handle handle) {
            this.handle = handle;
        }

        @Override
        public void run() {
            if (driver == null) {
                handle.reclaim();
            } else {
                driver.reclaim();
            }
        }
    }

    /** How much of the pool is used. */
    record Stats(int open, int idle, int leased, int waiting, long created) {
    }

    /** Checks the options; connects nothing. The URL, when there is one, wins over the options. */
    Core(CoreOptions options) {
        long client = create(options.options(), options.url());
        handle = new Handle(client, NativeClient::clientClose, NativeClient::clientDestroy);
        backstop = new Backstop(handle);
        CLEANER.register(this, backstop);
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
                setUrl(exchange, config, url);
            }
            long client =
                    NativeClient.clientCreate(config, exchange.address(), exchange.capacity());
            if (client == 0) {
                throw exchange.failure().exception();
            }
            return client;
        } finally {
            NativeClient.configDestroy(config);
        }
    }

    private static void set(Exchange exchange, long config, String name, String value) {
        int status = NativeClient.configSet(config, text(name, "option name"),
                SafeEncoder.encode(value), exchange.address(), exchange.capacity());
        if (status < 0) {
            throw exchange.failure().exception();
        }
    }

    private static void setUrl(Exchange exchange, long config, String url) {
        int status = NativeClient.configSetUrl(
                config, text(url, "URL"), exchange.address(), exchange.capacity());
        if (status < 0) {
            throw exchange.failure().exception();
        }
    }

    /** The core reads names and URLs up to the first NUL, so one with a NUL would be half read. */
    private static byte[] text(String text, String what) {
        if (text.indexOf('\0') >= 0) {
            throw new JedisValidationException("The " + what + " has a NUL character; remove it")
                    .with(Failure.before(Failure.CONFIG, "NUL character"));
        }
        return SafeEncoder.encode(text);
    }

    private long enter() {
        long client = handle.enter();
        if (client == 0) {
            throw closed();
        }
        return client;
    }

    static JedisException closed() {
        return Failure.before(Failure.CLOSED,
                "The client has been closed; make a new one. Nothing was sent").exception();
    }

    /**
     * Sends one command, on {@code lease} or, when that is null, on a connection that the core
     * chooses.
     */
    <T> T call(Lease lease, CommandArguments arguments, Builder<T> builder) {
        long client = enter();
        try {
            long leased = lease == null ? 0 : lease.enter();
            try {
                return send(client, leased, arguments, builder);
            } catch (JedisException exception) {
                breakOn(lease, exception);
                throw exception;
            } finally {
                leave(lease);
            }
        } finally {
            handle.leave();
            Reference.reachabilityFence(this);
        }
    }

    /** Sends commands together; each learns its own outcome. Throws when nothing was sent. */
    void batch(Lease lease, List<? extends Pending> commands) {
        long client = enter();
        try {
            long leased = lease == null ? 0 : lease.enter();
            try {
                breakOn(lease, send(client, leased, commands));
            } catch (JedisException exception) {
                breakOn(lease, exception);
                throw exception;
            } finally {
                leave(lease);
            }
        } finally {
            handle.leave();
            Reference.reachabilityFence(this);
        }
    }

    private static void breakOn(Lease lease, JedisException exception) {
        if (lease != null && exception != null && exception.failure().breaksConnection()) {
            lease.markBroken();
        }
    }

    private static void leave(Lease lease) {
        if (lease != null) {
            lease.leave();
        }
    }

    /** Waits until a connection is ready. */
    void connect() {
        long client = enter();
        try {
            Exchange.current().connect(client);
        } finally {
            handle.leave();
            Reference.reachabilityFence(this);
        }
    }

    /** Borrows a connection. Keeps the client alive until the lease is closed. */
    Lease lease() {
        long client = enter();
        try {
            long lease = Virtual.isCurrent() ? waiter().lease(LEASE_TIMEOUT_MS)
                                             : Exchange.current().lease(client, LEASE_TIMEOUT_MS);
            return new Lease(this, lease, handle::leave);
        } catch (RuntimeException | Error failure) {
            handle.leave();
            throw failure;
        }
    }

    /**
     * Borrows a connection without waiting: commands on it wait with it. {@code ready} ends when it
     * is there, or says why not.
     */
    Lease lease(Driver driver, AsyncCall<?> ready) {
        enter();
        try {
            return new Lease(this, driver.lease(ready, LEASE_TIMEOUT_MS), handle::leave);
        } catch (RuntimeException | Error failure) {
            handle.leave();
            throw failure;
        }
    }

    /** A native subscription. Keeps the client until unsubscribed is called. */
    long subscription() {
        long client = enter();
        Exchange exchange = Exchange.current();
        long made =
                NativeClient.subscriptionOpen(client, exchange.address(), exchange.capacity());
        if (made == 0) {
            handle.leave();
            throw exchange.failure().exception();
        }
        return made;
    }

    /** A native subscription has ended. */
    void unsubscribed() {
        handle.leave();
    }

    /** Sends without waiting; {@code executor} may be null. One for each core. */
    Driver driver(String name, Executor executor) {
        backstop.driver = new Driver(handle, name, executor);
        return backstop.driver;
    }

    /** For virtual threads, which must not wait in native code. */
    private Waiter waiter() {
        Waiter made = waiter;
        if (made == null) {
            synchronized (handle) {
                made = waiter;
                if (made == null) {
                    made = new Waiter(this, driver("tendon-virtual", null));
                    waiter = made;
                }
            }
        }
        return made;
    }

    private <T> T send(
            long client, long lease, CommandArguments arguments, Builder<T> builder) {
        return Virtual.isCurrent() ? waiter().call(lease, arguments, builder)
                                   : Exchange.current().call(client, lease, arguments, builder);
    }

    private JedisException send(long client, long lease, List<? extends Pending> commands) {
        return Virtual.isCurrent() ? waiter().batch(lease, commands)
                                   : Exchange.current().batch(client, lease, commands);
    }

    Stats stats() {
        long client = enter();
        try {
            Exchange exchange = Exchange.current();
            if (NativeClient.clientStats(client, exchange.address(), exchange.capacity()) < 0) {
                throw exchange.failure().exception();
            }
            ByteBuffer stats = exchange.buffer(); /* struct tendon_stats */
            return new Stats(stats.getInt(8), stats.getInt(12), stats.getInt(16), stats.getInt(28),
                    stats.getLong(40));
        } finally {
            handle.leave();
            Reference.reachabilityFence(this);
        }
    }

    boolean isClosed() {
        return handle.isClosed();
    }

    /** Stops the client; calls that are running end with CLOSED. */
    void close() {
        handle.close();
        Waiter made = waiter;
        if (made != null) {
            made.close();
        }
    }
}
