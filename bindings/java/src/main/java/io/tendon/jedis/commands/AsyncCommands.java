package io.tendon.jedis.commands;

import io.tendon.jedis.Builder;
import io.tendon.jedis.BuilderFactory;
import io.tendon.jedis.CommandArguments;
import io.tendon.jedis.CommandObject;
import java.util.concurrent.CompletableFuture;

/** All commands as futures, and sendCommand for those without a method. */
public interface AsyncCommands extends KeyAsyncCommands, DatabaseAsyncCommands,
        StringAsyncCommands, BitAsyncCommands, HashAsyncCommands, ListAsyncCommands,
        SetAsyncCommands, SortedSetAsyncCommands, StreamAsyncCommands, GeoAsyncCommands,
        ScriptAsyncCommands, ServerAsyncCommands, ConfigAsyncCommands, PubSubAsyncCommands,
        AclAsyncCommands, ClientAsyncCommands, ClusterAsyncCommands, SampleKeyAsyncCommands,
        KnownScriptAsyncCommands {
    @Override
    <T> CompletableFuture<T> executeCommand(CommandArguments arguments, Builder<T> builder);

    /** Sends any command, for its raw reply as of JedisCommands.sendCommand. */
    default CompletableFuture<Object> sendCommand(ProtocolCommand command) {
        return executeCommand(new CommandArguments(command), BuilderFactory.RAW_OBJECT);
    }

    /** As sendCommand(command), with arguments. */
    default CompletableFuture<Object> sendCommand(ProtocolCommand command, String... arguments) {
        return executeCommand(
                new CommandArguments(command).addAll(arguments), BuilderFactory.RAW_OBJECT);
    }

    /** As sendCommand(command), with arguments. */
    default CompletableFuture<Object> sendCommand(ProtocolCommand command, byte[]... arguments) {
        return executeCommand(
                new CommandArguments(command).addAll(arguments), BuilderFactory.RAW_OBJECT);
    }

    /** Sends a command with what makes its result. */
    default <T> CompletableFuture<T> executeCommand(CommandObject<T> command) {
        return executeCommand(command.getArguments(), command.getBuilder());
    }

    /** As sendCommand(command), for arguments made word by word. */
    default CompletableFuture<Object> executeCommand(CommandArguments arguments) {
        return executeCommand(arguments, BuilderFactory.RAW_OBJECT);
    }
}
