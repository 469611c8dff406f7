package io.tendon.jedis.exceptions;

/** NOPROTO: the server does not know the protocol version. */
public class JedisProtocolNotSupportedException extends JedisDataException {
    private static final long serialVersionUID = 1L;

    public JedisProtocolNotSupportedException(String message) {
        super(message);
    }

    public JedisProtocolNotSupportedException(Throwable cause) {
        super(cause);
    }

    public JedisProtocolNotSupportedException(String message, Throwable cause) {
        super(message, cause);
    }
}
