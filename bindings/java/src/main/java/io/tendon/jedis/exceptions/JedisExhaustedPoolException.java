package io.tendon.jedis.exceptions;

/** Could not get a resource from the pool: all connections are lent. */
public class JedisExhaustedPoolException extends JedisException {
    private static final long serialVersionUID = 1L;

    public JedisExhaustedPoolException(String message) {
        super(message);
    }

    public JedisExhaustedPoolException(Throwable cause) {
        super(cause);
    }

    public JedisExhaustedPoolException(String message, Throwable cause) {
        super(message, cause);
    }
}
