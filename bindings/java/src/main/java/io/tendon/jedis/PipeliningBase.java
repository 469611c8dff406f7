package io.tendon.jedis;

import io.tendon.jedis.commands.PipelineCommands;

/** What pipelines and transactions have in common: commands whose answers come later. */
public abstract class PipeliningBase implements PipelineCommands {
    final Core core;
    /** The connection they go over; null: the core chooses one. */
    final Lease lease;
    private final CommandKeyArgumentPreProcessor keys;

    /** {@code keys} may be null. */
    PipeliningBase(Core core, Lease lease, CommandKeyArgumentPreProcessor keys) {
        this.core = core;
        this.lease = lease;
        this.keys = keys;
    }

    final <T> Response<T> response(CommandArguments arguments, Builder<T> builder) {
        return new Response<>(processed(arguments), builder);
    }

    final CommandArguments processed(CommandArguments arguments) {
        return arguments.process(keys);
    }
}
