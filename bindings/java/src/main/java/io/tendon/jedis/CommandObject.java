package io.tendon.jedis;

/** A command together with what makes its result. */
public class CommandObject<T> {
    private final CommandArguments arguments;
    private final Builder<T> builder;

    public CommandObject(CommandArguments arguments, Builder<T> builder) {
        this.arguments = arguments;
        this.builder = builder;
    }

    public CommandArguments getArguments() {
        return arguments;
    }

    public Builder<T> getBuilder() {
        return builder;
    }
}
