package io.tendon.jedis.exceptions;

/** The server answered with an error, or would: its text is the message. */
public class JedisDataException extends JedisException {
    private static final long serialVersionUID = 1L;

    public JedisDataException(String message) {
        super(message);
    }

    public JedisDataException(Throwable cause) {
        super(cause);
    }

    public JedisDataException(String message, Throwable cause) {
        super(message, cause);
    }
}
