package io.tendon.jedis.commands;

import io.tendon.jedis.Builder;
import io.tendon.jedis.BuilderFactory;
import io.tendon.jedis.CommandArguments;
import io.tendon.jedis.CommandObject;

/** All commands, and sendCommand for those without a method. */
public interface JedisCommands extends KeyCommands, StringCommands, BitCommands, HashCommands,
        ListCommands, SetCommands, SortedSetCommands, StreamCommands, GeoCommands,
        ScriptCommands, ServerCommands, ConfigCommands, PubSubCommands, AclCommands,
        ClientCommands, ClusterCommands {
    @Override
    <T> T executeCommand(CommandArguments arguments, Builder<T> builder);

    /**
     * Sends any command. The raw reply: byte[], Long, List or null; with RESP3 also Double,
     * Boolean.
     */
    default Object sendCommand(ProtocolCommand command) {
        return executeCommand(new CommandArguments(command), BuilderFactory.RAW_OBJECT);
    }

    /** As sendCommand(command), with arguments. */
    default Object sendCommand(ProtocolCommand command, String... arguments) {
        return executeCommand(
                new CommandArguments(command).addAll(arguments), BuilderFactory.RAW_OBJECT);
    }

    /** As sendCommand(command), with arguments. */
    default Object sendCommand(ProtocolCommand command, byte[]... arguments) {
        return executeCommand(
                new CommandArguments(command).addAll(arguments), BuilderFactory.RAW_OBJECT);
    }

    /** As sendCommand: what blocks is known by the command. */
    default Object sendBlockingCommand(ProtocolCommand command, String... arguments) {
        return sendCommand(command, arguments);
    }

    /** As sendCommand: what blocks is known by the command. */
    default Object sendBlockingCommand(ProtocolCommand command, byte[]... arguments) {
        return sendCommand(command, arguments);
    }

    /** Sends a command with what makes its result. */
    default <T> T executeCommand(CommandObject<T> command) {
        return executeCommand(command.getArguments(), command.getBuilder());
    }

    /** As sendCommand(command), for arguments made word by word. */
    default Object executeCommand(CommandArguments arguments) {
        return executeCommand(arguments, BuilderFactory.RAW_OBJECT);
    }
}
