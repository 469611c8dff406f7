package io.tendon.jedis;

import io.tendon.jedis.commands.JedisCommands;
import java.io.Closeable;

/**
 * A client for any number of threads: commands go straight through the core's shared connections,
 * blocking ones and watched transactions over connections of their own.
 */
public class UnifiedJedis implements JedisCommands, Closeable {
    final Core core;

    UnifiedJedis(CoreOptions options, String url) {
        core = new Core(options.options(), url);
    }

    @Override
    public <T> T executeCommand(CommandArguments arguments, Builder<T> builder) {
        return core.call(null, arguments, builder);
    }

    /** Commands sent together, to the nodes of their keys. */
    public Pipeline pipelined() {
        return new Pipeline(core, null);
    }

    /** A transaction without watched keys. */
    public Transaction multi() {
        return new Transaction(core, null, true, () -> { });
    }

    /**
     * A transaction over a connection of its own, to be closed; with {@code false}, watch before
     * multi.
     */
    public Transaction transaction(boolean doMulti) {
        Lease lease = core.lease();
        return new Transaction(core, lease, doMulti, lease::close);
    }

    /** Connections lent to blocking commands and transactions. */
    public int getNumActive() {
        return core.stats().leased();
    }

    public boolean isClosed() {
        return core.isClosed();
    }

    @Override
    public void close() {
        core.close();
    }
}
