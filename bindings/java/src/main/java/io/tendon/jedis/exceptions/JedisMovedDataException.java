package io.tendon.jedis.exceptions;

/** MOVED: another node owns the slot. */
public class JedisMovedDataException extends JedisRedirectionException {
    private static final long serialVersionUID = 1L;

    public JedisMovedDataException(String message) {
        super(message);
    }

    public JedisMovedDataException(Throwable cause) {
        super(cause);
    }

    public JedisMovedDataException(String message, Throwable cause) {
        super(message, cause);
    }
}
