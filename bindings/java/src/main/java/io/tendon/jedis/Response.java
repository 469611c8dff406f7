package io.tendon.jedis;

import io.tendon.jedis.exceptions.JedisDataException;
import io.tendon.jedis.exceptions.JedisException;
import java.util.function.Supplier;

/** The answer to a command of a pipeline or transaction, once sync or exec has brought it. */
public class Response<T> extends Pending implements Supplier<T> {
    private final Builder<T> builder;
    private Object raw;
    private T value;
    private boolean here;
    private boolean built;

    Response(CommandArguments arguments, Builder<T> builder) {
        super(arguments);
        this.builder = builder;
    }

    @Override
    void answered(Object reply) {
        here = true;
        raw = reply;
        failure = reply instanceof JedisDataException error ? error : null;
    }

    /** Texts, bytes and numbers are made of the reply at once, which saves a copy. */
    @Override
    void answered(Reply reply) {
        if (!builder.readsInPlace() || reply.type() == Reply.ERROR) {
            answered(reply.object());
            return;
        }
        try {
            value = builder.read(reply);
            built = true;
            here = true;
            failure = null;
        } catch (RuntimeException unexpected) { /* get tells it, as of every other builder */
            answered(reply.object());
        }
    }

    @Override
    void failed(JedisException exception) {
        here = true;
        super.failed(exception);
    }

    /**
     * The result, typed as the command's. Throws the server's error or the failure of this command,
     * and IllegalStateException before sync or exec.
     */
    @Override
    public T get() {
        if (!here) {
            throw new IllegalStateException(
                    "Please close pipeline or multi block before calling this method.");
        }
        if (failure != null) {
            throw failure;
        }
        if (!built) {
            value = builder.build(raw);
            raw = null;
            built = true;
        }
        return value;
    }

    /** What syncAndReturnAll and exec list: the result, or the server's error as an object. */
    Object resultOrError() {
        return failure instanceof JedisDataException ? failure : get();
    }

    @Override
    public String toString() {
        return "Response of " + arguments;
    }
}
