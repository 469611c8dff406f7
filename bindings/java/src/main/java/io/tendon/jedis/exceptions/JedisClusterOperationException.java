package io.tendon.jedis.exceptions;

/** The client could not route a command in the cluster. */
public class JedisClusterOperationException extends JedisException {
    private static final long serialVersionUID = 1L;

    public JedisClusterOperationException(String message) {
        super(message);
    }

    public JedisClusterOperationException(Throwable cause) {
        super(cause);
    }

    public JedisClusterOperationException(String message, Throwable cause) {
        super(message, cause);
    }
}
