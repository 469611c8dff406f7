package io.tendon.jedis.exceptions;

/**
 * The root of everything that this package throws about servers, connections and options. Beside
 * Jedis' text and cause it says whether the command was executed, and how the native core names the
 * failure.
 */
public class JedisException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private transient Failure failure;

    public JedisException(String message) {
        super(message);
    }

    public JedisException(Throwable cause) {
        super(cause);
    }

    public JedisException(String message, Throwable cause) {
        super(message, cause);
    }

    /** Adds what the core told; for the classes of this library. */
    public JedisException with(Failure details) {
        failure = details;
        return this;
    }

    /** All that the core told, or null. */
    public Failure failure() {
        return failure;
    }

    /**
     * Whether the server executed the command; UNKNOWN when this exception was not made by tendon.
     */
    public Executed executed() {
        return failure == null ? Executed.UNKNOWN : failure.executed();
    }

    /**
     * The status of include/tendon/status.h, negative; 0 for a server's error reply to a command.
     */
    public int status() {
        return failure == null ? Failure.NONE : failure.status();
    }

    /** How often the command was tried. */
    public int attempts() {
        return failure == null ? 0 : failure.attempts();
    }

    /** First word of the server's error, or "". */
    public String prefix() {
        return failure == null ? "" : failure.prefix();
    }

    /** "host:port" the last attempt went to, or "". */
    public String node() {
        return failure == null ? "" : failure.node();
    }
}
