package io.tendon.jedis.exceptions;

import java.net.SocketTimeoutException;
import java.util.NoSuchElementException;

/**
 * What the native core tells about a failure (include/tendon/error.h), and which exception it
 * becomes.
 */
public record Failure(int status, Executed executed, int attempts, long elapsedMicros,
        String message, String prefix, String node) implements Statuses {
    /** A server's error reply to a command: no failure of the core. */
    public static final int NONE = 0;
    private static final String NO_RESOURCE = "Could not get a resource from the pool";

    /** A failure that this binding found before the core was asked. */
    public static Failure before(int status, String message) {
        return new Failure(status, Executed.NO, 0, 0, message, "", "");
    }

    /** Whether a leased connection is unusable after this failure. */
    public boolean breaksConnection() {
        boolean refused = status >= CONFIG || status == QUEUE_FULL;
        return !refused && !(status == LIMIT && executed == Executed.NO) || status == CLOSED;
    }

    /** The exception that Jedis throws for this, with this failure in it. */
    public JedisException exception() {
        return make().with(this);
    }

    private JedisException make() {
        return switch (status) {
            case CONFIG, TLS_CONFIG, ARGUMENT -> new JedisValidationException(message);
            case URL -> new InvalidURIException(message);
            case LIMIT -> new JedisDataException(message);
            case AUTH, HANDSHAKE, SERVER -> refusal();
            case TIMEOUT, CONNECT_TIMEOUT ->
                new JedisConnectionException(message, new SocketTimeoutException("Read timed out"));
            case POOL_EXHAUSTED -> noResource("Pool exhausted");
            case POOL_TIMEOUT -> noResource("Timeout waiting for idle object");
            case NO_MEMORY, SYSTEM, CLOSED, STATE, UNSUPPORTED, CANCELLED, QUEUE_FULL ->
                new JedisException(message);
            default -> status <= NO_NODE && status >= CROSSSLOT
                    ? new JedisClusterOperationException(message)
                    : new JedisConnectionException(message);
        };
    }

    /**
     * The server said no where no command was there to answer: while connecting, or to each retry.
     */
    private JedisException refusal() {
        return prefix.isEmpty() ? new JedisConnectionException(message)
                : ServerErrors.exception(prefix, message);
    }

    private JedisException noResource(String cause) {
        return new JedisExhaustedPoolException(NO_RESOURCE + ": " + message,
                new NoSuchElementException(cause));
    }
}
