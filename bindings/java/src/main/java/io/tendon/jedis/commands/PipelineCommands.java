package io.tendon.jedis.commands;

import io.tendon.jedis.Builder;
import io.tendon.jedis.BuilderFactory;
import io.tendon.jedis.CommandArguments;
import io.tendon.jedis.Response;

/** All commands, queued, and sendCommand for those without a method. */
public interface PipelineCommands extends KeyPipelineCommands, StringPipelineCommands,
                                          HashPipelineCommands, ListPipelineCommands,
                                          SetPipelineCommands, SortedSetPipelineCommands,
                                          ServerPipelineCommands {
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
}
