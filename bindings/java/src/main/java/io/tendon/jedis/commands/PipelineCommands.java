package io.tendon.jedis.commands;

import io.tendon.jedis.Builder;
import io.tendon.jedis.BuilderFactory;
import io.tendon.jedis.CommandArguments;
import io.tendon.jedis.CommandObject;
import io.tendon.jedis.Response;

/** All commands, queued, and sendCommand for those without a method. */
public interface PipelineCommands extends KeyPipelineCommands, DatabasePipelineCommands,
        StringPipelineCommands, BitPipelineCommands, HashPipelineCommands, ListPipelineCommands,
        SetPipelineCommands, SortedSetPipelineCommands, StreamPipelineCommands,
        GeoPipelineCommands, ScriptPipelineCommands, ServerPipelineCommands,
        ConfigPipelineCommands, PubSubPipelineCommands, AclPipelineCommands,
        ClientPipelineCommands, ClusterPipelineCommands, SampleKeyPipelineCommands,
        SampleScriptPipelineCommands {
    @Override
    <T> Response<T> executeCommand(CommandArguments arguments, Builder<T> builder);

    /** Queues any command, for its raw reply. */
    default Response<Object> sendCommand(ProtocolCommand command, String... arguments) {
        return executeCommand(
                new CommandArguments(command).addAll(arguments), BuilderFactory.RAW_OBJECT);
    }

    /** Queues any command, for its raw reply. */
    default Response<Object> sendCommand(ProtocolCommand command, byte[]... arguments) {
        return executeCommand(
                new CommandArguments(command).addAll(arguments), BuilderFactory.RAW_OBJECT);
    }

    /** Queues a command with what makes its result. */
    default <T> Response<T> executeCommand(CommandObject<T> command) {
        return executeCommand(command.getArguments(), command.getBuilder());
    }

    /** Queues a command whose arguments were made word by word, for its raw reply. */
    default Response<Object> sendCommand(CommandArguments arguments) {
        return executeCommand(arguments, BuilderFactory.RAW_OBJECT);
    }
}
