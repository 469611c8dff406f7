package io.tendon.jedis.exceptions;

import java.net.SocketTimeoutException;
import java.util.NoSuchElementException;

/**
 * What the native core tells about a failure (include/tendon/error.h), and which exception it
 * becomes.
 */
public record Failure(int status, Executed executed, int attempts, long elapsedMicros,
        String message, String prefix, String node) {
    /** A server's error reply to a command: no failure of the core. */
    public static final int NONE = 0;
    public static final int ARGUMENT = -1;
    public static final int NO_MEMORY = -2;
    public static final int CLOSED = -4;
    public static final int CANCELLED = -34;
    public static final int CONFIG = -8;
    public static final int URL = -9;
    public static final int TLS_CONFIG = -10;
    public static final int AUTH = -26;
    public static final int HANDSHAKE = -27;
    public static final int DISCONNECTED = -30;
    public static final int TIMEOUT = -31;
    public static final int LIMIT = -33;
    public static final int QUEUE_FULL = -35;
    public static final int POOL_EXHAUSTED = -40;
    public static final int POOL_TIMEOUT = -41;

    private static final int UNSUPPORTED = -7;
    private static final int STATE = -6;
    private static final int SYSTEM = -3;
    private static final int CONNECT_TIMEOUT = -22;
    private static final int NO_NODE = -50;
    private static final int CROSSSLOT = -53;
    private static final int SERVER = -60;
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
