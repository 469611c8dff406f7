package io.tendon.jedis.exceptions;

/** NOSCRIPT: load the script or call eval. */
public class JedisNoScriptException extends JedisDataException {
    private static final long serialVersionUID = 1L;

    public JedisNoScriptException(String message) {
        super(message);
    }

    public JedisNoScriptException(Throwable cause) {
        super(cause);
    }

    public JedisNoScriptException(String message, Throwable cause) {
        super(message, cause);
    }
}
