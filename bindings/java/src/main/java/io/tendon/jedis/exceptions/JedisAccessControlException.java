package io.tendon.jedis.exceptions;

/** The server refused user, password or permission: NOAUTH, WRONGPASS, NOPERM. */
public class JedisAccessControlException extends JedisDataException {
    private static final long serialVersionUID = 1L;

    public JedisAccessControlException(String message) {
        super(message);
    }

    public JedisAccessControlException(Throwable cause) {
        super(cause);
    }

    public JedisAccessControlException(String message, Throwable cause) {
        super(message, cause);
    }
}
