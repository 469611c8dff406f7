package io.tendon.jedis;

import io.tendon.jedis.exceptions.JedisException;

/** A command of a batch, and where its outcome goes. */
abstract class Pending {
    /** Flags of include/tendon/request.h. */
    static final int ATOMIC = 16;
    static final int ATOMIC_END = 32;

    final CommandArguments arguments;
    int flags;
    /** Why there is no answer; of a Response also a server's error. */
    JedisException failure;

    Pending(CommandArguments arguments) {
        this.arguments = arguments;
    }

    /**
     * The reply as a raw object; a server's error is a JedisDataException. Must not send commands.
     */
    abstract void answered(Object raw);

    /** As answered, while the reply itself can be read. */
    void answered(Reply reply) {
        answered(reply.object());
    }

    void failed(JedisException exception) {
        failure = exception;
    }
}
