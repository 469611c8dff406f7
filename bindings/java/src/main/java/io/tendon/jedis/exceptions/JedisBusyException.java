package io.tendon.jedis.exceptions;

/** BUSY: a script runs and blocks the server. */
public class JedisBusyException extends JedisDataException {
    private static final long serialVersionUID = 1L;

    public JedisBusyException(String message) {
        super(message);
    }

    public JedisBusyException(Throwable cause) {
        super(cause);
    }

    public JedisBusyException(String message, Throwable cause) {
        super(message, cause);
    }
}
