package io.tendon.jedis;

import io.tendon.jedis.commands.JedisCommands;
import io.tendon.jedis.commands.ProtocolCommand;
import io.tendon.jedis.commands.SampleKeyCommands;
import io.tendon.jedis.commands.SampleScriptCommands;
import io.tendon.jedis.commands.SampleScriptsCommands;
import java.io.Closeable;
import java.util.List;

/**
 * A client for any number of threads: commands go straight through the core's shared connections,
 * blocking ones and watched transactions over connections of their own.
 */
public class UnifiedJedis implements JedisCommands, SampleKeyCommands, SampleScriptCommands,
                                     SampleScriptsCommands, Closeable {
    final Core core;
    private volatile CommandKeyArgumentPreProcessor keys;

    UnifiedJedis(Setup setup) {
        CoreOptions options = CoreOptions.of(setup);
        core = new Core(options);
        keys = setup.keys != null ? setup.keys
                                  : options.config().getCommandKeyArgumentPreProcessor();
    }

    /** Changes the keys of all commands from now on; null: none. */
    public void setKeyArgumentPreProcessor(CommandKeyArgumentPreProcessor processor) {
        keys = processor;
    }

    final CommandKeyArgumentPreProcessor keyProcessor() {
        return keys;
    }

    @Override
    public <T> T executeCommand(CommandArguments arguments, Builder<T> builder) {
        return core.call(null, arguments.process(keys), builder);
    }

    /** Sends any command to the server that has {@code sampleKey}; as sendCommand(command). */
    public Object sendCommand(String sampleKey, ProtocolCommand command, String... arguments) {
        return executeCommand(
                new CommandArguments(command).route(sampleKey).addAll(arguments));
    }

    /** As sendCommand(String, ProtocolCommand, String...). */
    public Object sendCommand(byte[] sampleKey, ProtocolCommand command, byte[]... arguments) {
        return executeCommand(
                new CommandArguments(command).route(sampleKey).addAll(arguments));
    }

    /** As sendCommand: what blocks is known by the command. */
    public Object sendBlockingCommand(
            String sampleKey, ProtocolCommand command, String... arguments) {
        return sendCommand(sampleKey, command, arguments);
    }

    /** As sendCommand: what blocks is known by the command. */
    public Object sendBlockingCommand(
            byte[] sampleKey, ProtocolCommand command, byte[]... arguments) {
        return sendCommand(sampleKey, command, arguments);
    }

    /** Commands sent together, to the nodes of their keys. */
    public AbstractPipeline pipelined() {
        return new Pipeline(core, null, keys);
    }

    /** A transaction without watched keys. */
    public Transaction multi() {
        return new Transaction(core, null, keys, true, () -> { });
    }

    /**
     * A transaction over a connection of its own, to be closed; with {@code false}, watch before
     * multi.
     */
    public Transaction transaction(boolean doMulti) {
        Lease lease = core.lease();
        return new Transaction(core, lease, keys, doMulti, lease::close);
    }

    /**
     * Subscribes, and waits for messages until nothing is subscribed any more; the listener is
     * called by this thread. A lost connection is replaced, see {@link JedisPubSub#onGap}.
     */
    public void subscribe(JedisPubSub listener, String... channels) {
        listener.run(core, Protocol.Command.SUBSCRIBE, channels);
    }

    /** As subscribe(JedisPubSub, String...). */
    public void subscribe(BinaryJedisPubSub listener, byte[]... channels) {
        listener.run(core, Protocol.Command.SUBSCRIBE, channels);
    }

    /** As subscribe, to all channels whose names fit one of the patterns. */
    public void psubscribe(JedisPubSub listener, String... patterns) {
        listener.run(core, Protocol.Command.PSUBSCRIBE, patterns);
    }

    /** As psubscribe(JedisPubSub, String...). */
    public void psubscribe(BinaryJedisPubSub listener, byte[]... patterns) {
        listener.run(core, Protocol.Command.PSUBSCRIBE, patterns);
    }

    /** As subscribe, to channels that belong to the slot of their name. */
    public void ssubscribe(JedisShardedPubSub listener, String... channels) {
        listener.run(core, Protocol.Command.SSUBSCRIBE, channels);
    }

    /** As ssubscribe(JedisShardedPubSub, String...). */
    public void ssubscribe(BinaryJedisShardedPubSub listener, byte[]... channels) {
        listener.run(core, Protocol.Command.SSUBSCRIBE, channels);
    }

    /** All keys that fit, in batches of about this size; in a cluster those of all primaries. */
    public ScanIteration scanIteration(int batchCount, String match) {
        return scanIteration(batchCount, match, null);
    }

    /** As scanIteration(int, String), of keys of one type. */
    public ScanIteration scanIteration(int batchCount, String match, String type) {
        return new ScanIteration(this, batchCount, match, type);
    }

    /** A slot of every primary; of a server alone NO_SLOT. */
    List<Integer> slotsOfPrimaries() {
        return List.of(CommandArguments.NO_SLOT);
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
