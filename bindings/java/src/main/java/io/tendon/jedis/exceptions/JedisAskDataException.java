package io.tendon.jedis.exceptions;

/** ASK: another node has the key while the slot migrates. */
public class JedisAskDataException extends JedisRedirectionException {
    private static final long serialVersionUID = 1L;

    public JedisAskDataException(String message) {
        super(message);
    }

    public JedisAskDataException(Throwable cause) {
        super(cause);
    }

    public JedisAskDataException(String message, Throwable cause) {
        super(message, cause);
    }
}
