package io.tendon.jedis;

import io.tendon.jedis.commands.ConnectionCommands;
import io.tendon.jedis.commands.DatabaseCommands;
import io.tendon.jedis.commands.JedisCommands;
import io.tendon.jedis.commands.KnownScriptCommands;
import io.tendon.jedis.exceptions.Failure;
import io.tendon.jedis.exceptions.JedisConnectionException;
import io.tendon.jedis.params.ShutdownParams;
import java.io.Closeable;

/** What a Jedis does. */
public abstract class JedisBase implements JedisCommands, DatabaseCommands, KnownScriptCommands,
                                           ConnectionCommands, Closeable {
    final Core core;
    private final boolean ownsCore;
    private Lease lease;
    private Transaction transaction;
    private int db;
    private int connections;

    /** Of its own: connects at once when anything beside the server was told, as Jedis does. */
    JedisBase(Setup setup) {
        core = new Core(CoreOptions.of(setup).single());
        ownsCore = true;
        if (setup.config != null || setup.url != null) {
            try {
                connect();
            } catch (RuntimeException failure) {
                core.close();
                throw failure;
            }
        }
    }

    /** Of a pool. */
    JedisBase(Core core, Lease lease) {
        this.core = core;
        this.ownsCore = false;
        this.lease = lease;
    }

    /** Connects when not connected; a Jedis of a pool always is. */
    public void connect() {
        if (lease == null || ownsCore && lease.isBroken() && !core.isClosed()) {
            disconnect();
            if (connections++ > 0) {
                core.renew();
            }
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
    Lease ready() {
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
        return new Pipeline(core, ready(), null);
    }

    /** Begins a transaction; until it has ended this Jedis takes no other commands. */
    public Transaction multi() {
        Lease leased = ready();
        transaction = new Transaction(core, leased, null, true, () -> transaction = null);
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
