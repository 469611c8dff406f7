package io.tendon.jedis.exceptions;

/** An argument or option is wrong; the message names it. */
public class JedisValidationException extends JedisException {
    private static final long serialVersionUID = 1L;

    public JedisValidationException(String message) {
        super(message);
    }

    public JedisValidationException(Throwable cause) {
        super(cause);
    }

    public JedisValidationException(String message, Throwable cause) {
        super(message, cause);
    }
}
