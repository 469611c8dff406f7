package io.tendon.jedis;

import io.tendon.jedis.commands.ConnectionCommands;
import io.tendon.jedis.commands.DatabaseCommands;
import io.tendon.jedis.commands.JedisCommands;
import io.tendon.jedis.commands.KnownScriptCommands;
import io.tendon.jedis.exceptions.Failure;
import io.tendon.jedis.exceptions.JedisConnectionException;
import io.tendon.jedis.params.ShutdownParams;
import java.io.Closeable;
import java.net.URI;

/**
 * One connection, for one thread at a time: from a JedisPool, or of its own. With host and port
 * alone it connects at its first command, with more at once, as Jedis does. Failures are never
 * retried.
 */
public class Jedis implements JedisCommands, DatabaseCommands, KnownScriptCommands,
                              ConnectionCommands, Closeable {
    private final Core core;
    private final boolean ownsCore;
    private Lease lease;
    private Transaction transaction;
    private int db;

    public Jedis() {
        this(Protocol.DEFAULT_HOST, Protocol.DEFAULT_PORT);
    }

    public Jedis(String host, int port) {
        this(new HostAndPort(host, port));
    }

    public Jedis(HostAndPort server) {
        this(CoreOptions.standalone(server, DefaultJedisClientConfig.builder().build()), null,
                false);
    }

    public Jedis(String host, int port, boolean ssl) {
        this(new HostAndPort(host, port), DefaultJedisClientConfig.builder().ssl(ssl).build());
    }

    public Jedis(String host, int port, int timeout) {
        this(host, port, timeout, timeout);
    }

    public Jedis(String host, int port, int timeout, boolean ssl) {
        this(host, port, timeout, timeout, ssl);
    }

    public Jedis(String host, int port, int connectionTimeout, int soTimeout) {
        this(host, port, connectionTimeout, soTimeout, false);
    }

    public Jedis(String host, int port, int connectionTimeout, int soTimeout, boolean ssl) {
        this(new HostAndPort(host, port), DefaultJedisClientConfig.builder().ssl(ssl)
                .connectionTimeoutMillis(connectionTimeout).socketTimeoutMillis(soTimeout).build());
    }

    public Jedis(HostAndPort server, JedisClientConfig config) {
        this(CoreOptions.standalone(server, config), null, true);
    }

    public Jedis(String host, int port, JedisClientConfig config) {
        this(new HostAndPort(host, port), config);
    }

    /**
     * redis://[[user]:password@]host[:port][/db] or rediss://; any option of docs/options.md as a
     * query.
     */
    public Jedis(String url) {
        this(URIs.options(), url, true);
    }

    public Jedis(URI uri) {
        this(uri.toString());
    }

    private Jedis(CoreOptions options, String url, boolean atOnce) {
        core = new Core(options.single().options(), url);
        ownsCore = true;
        if (atOnce) {
            try {
                connect();
            } catch (RuntimeException failure) {
                core.close();
                throw failure;
            }
        }
    }

    /** Of a pool. */
    Jedis(Core core, Lease lease) {
        this.core = core;
        this.ownsCore = false;
        this.lease = lease;
    }

    /** Connects when not connected; a Jedis of a pool always is. */
    public void connect() {
        if (lease == null || ownsCore && lease.isBroken() && !core.isClosed()) {
            disconnect();
            lease = core.lease();
        }
    }

    /** Closes the connection. A Jedis of its own connects again at the next command. */
    public void disconnect() {
        if (lease != null && ownsCore) {
            lease.markBroken();
            lease.close();
            lease = null;
        } else if (lease != null) {
            lease.markBroken();
        }
    }

    public boolean isConnected() {
        return lease != null && !lease.isBroken();
    }

    public boolean isBroken() {
        return lease != null && lease.isBroken();
    }

    /** The lease to send on. */
    private Lease ready() {
        if (transaction != null) {
            throw new IllegalStateException(
                    "Cannot use Jedis when in Multi. Please use Transaction or reset jedis state.");
        }
        if (lease == null) {
            connect();
        }
        if (lease.isBroken() && !core.isClosed()) {
            throw Failure.before(Failure.DISCONNECTED, "Attempting to write to a broken connection."
                    + " An earlier command failed on it; close this Jedis and get another one")
                    .exception();
        }
        return lease;
    }

    @Override
    public <T> T executeCommand(CommandArguments arguments, Builder<T> builder) {
        return core.call(ready(), arguments, builder);
    }

    /** Commands sent together over this connection. */
    public Pipeline pipelined() {
        return new Pipeline(core, ready());
    }

    /** Begins a transaction; until it has ended this Jedis takes no other commands. */
    public Transaction multi() {
        Lease leased = ready();
        transaction = new Transaction(core, leased, true, () -> transaction = null);
        return transaction;
    }

    /** Changes the database of this connection; the pool changes it back. */
    public String select(int index) {
        String answer = executeCommand(new CommandArguments(Protocol.Command.SELECT).add(index),
                BuilderFactory.STRING);
        db = index;
        return answer;
    }

    /** The database chosen by select; 0 before. */
    public int getDB() {
        return db;
    }

    /**
     * Ends the server, after saving where it is set up to save. The connection ends with it, which
     * is how a server says yes; a refusal is thrown.
     */
    public void shutdown() {
        shutdown(new ShutdownParams());
    }

    /** As shutdown(). */
    public void shutdown(ShutdownParams params) {
        try {
            executeCommand(new CommandArguments(Protocol.Command.SHUTDOWN).addParams(params));
        } catch (JedisConnectionException ended) {
            disconnect();
        }
    }

    /** Takes a shutdown back that waits for replicas. */
    public String shutdownAbort() {
        return executeCommand(new CommandArguments(Protocol.Command.SHUTDOWN).add("ABORT"),
                BuilderFactory.STRING);
    }

    /**
     * Subscribes, and waits for messages until nothing is subscribed any more; the listener is
     * called by this thread. A lost connection is replaced, see {@link JedisPubSub#onGap}.
     */
    public void subscribe(JedisPubSub listener, String... channels) {
        listener.run(free(), Protocol.Command.SUBSCRIBE, channels);
    }

    /** As subscribe(JedisPubSub, String...). */
    public void subscribe(BinaryJedisPubSub listener, byte[]... channels) {
        listener.run(free(), Protocol.Command.SUBSCRIBE, channels);
    }

    /** As subscribe, to all channels whose names fit one of the patterns. */
    public void psubscribe(JedisPubSub listener, String... patterns) {
        listener.run(free(), Protocol.Command.PSUBSCRIBE, patterns);
    }

    /** As psubscribe(JedisPubSub, String...). */
    public void psubscribe(BinaryJedisPubSub listener, byte[]... patterns) {
        listener.run(free(), Protocol.Command.PSUBSCRIBE, patterns);
    }

    /** Waits for the commands that the server executes. */
    public void monitor(JedisMonitor listener) {
        listener.run(free());
    }

    /** Gives the connection back: messages come over one of their own, within the same bounds. */
    private Core free() {
        if (transaction != null) {
            ready(); /* says that it cannot be used now */
        }
        if (lease != null) {
            lease.close();
            lease = null;
        }
        return core;
    }

    /**
     * Forgets a transaction that was begun; what else was left is undone when the connection is
     * lent again.
     */
    public void resetState() {
        if (transaction != null) {
            transaction.close();
        }
    }

    /** Gives the connection back to its pool, or closes it. Calling it again is harmless. */
    @Override
    public void close() {
        transaction = null;
        if (lease != null) {
            lease.close();
        }
        if (ownsCore) {
            core.close();
        }
    }

    @Override
    public String toString() {
        return "Jedis{" + (isConnected() ? "connected" : "not connected") + "}";
    }
}
