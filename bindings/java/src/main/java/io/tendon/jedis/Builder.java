package io.tendon.jedis;

/**
 * Makes the result of a command from its raw reply: byte[], Long, Double, Boolean, List, KeyValue
 * or null.
 */
public abstract class Builder<T> {
    /** Makes the result; {@code data} is never an error reply. */
    public abstract T build(Object data);

    /** As build, where reading the reply itself saves a copy. Must not send commands. */
    T read(Reply reply) {
        return build(reply.object());
    }

    /** Whether read is all there is to it, and no code of the program's. */
    boolean readsInPlace() {
        return false;
    }
}
