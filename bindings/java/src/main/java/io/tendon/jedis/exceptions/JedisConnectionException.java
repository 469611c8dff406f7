package io.tendon.jedis.exceptions;

/** No connection could be made, or it was lost, or the answer did not come in time. */
public class JedisConnectionException extends JedisException {
    private static final long serialVersionUID = 1L;

    public JedisConnectionException(String message) {
        super(message);
    }

    public JedisConnectionException(Throwable cause) {
        super(cause);
    }

    public JedisConnectionException(String message, Throwable cause) {
        super(message, cause);
    }
}
