package io.tendon.jedis;

import io.tendon.jedis.exceptions.JedisDataException;
import io.tendon.jedis.exceptions.JedisException;
import java.util.function.Supplier;

/** The answer to a command of a pipeline or transaction, once sync or exec has brought it. */
public class Response<T> extends Pending implements Supplier<T> {
    private final Builder<T> builder;
    private Object raw;
    private T value;
    private JedisException exception;
    private boolean here;
    private boolean built;

    Response(CommandArguments arguments, Builder<T> builder) {
        super(arguments);
        this.builder = builder;
    }

    @Override
    void answered(Object reply) {
        here = true;
        if (reply instanceof JedisDataException error) {
            exception = error;
        } else {
            raw = reply;
        }
    }

    @Override
    void failed(JedisException failure) {
        here = true;
        exception = failure;
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
        if (exception != null) {
            throw exception;
        }
        if (!built) {
            value = builder.build(raw);
            raw = null;
            built = true;
        }
        return value;
    }

    boolean isHere() {
        return here;
    }

    JedisException exception() {
        return exception;
    }

    /** What syncAndReturnAll and exec list: the result, or the server's error as an object. */
    Object resultOrError() {
        return exception instanceof JedisDataException ? exception : get();
    }

    @Override
    public String toString() {
        return "Response of " + arguments;
    }
}
