package io.tendon.jedis.exceptions;

/** CLUSTERDOWN: the cluster cannot serve the slot. */
public class JedisClusterException extends JedisDataException {
    private static final long serialVersionUID = 1L;

    public JedisClusterException(String message) {
        super(message);
    }

    public JedisClusterException(Throwable cause) {
        super(cause);
    }

    public JedisClusterException(String message, Throwable cause) {
        super(message, cause);
    }
}
