package io.tendon.jedis.exceptions;

import io.tendon.jedis.HostAndPort;

/**
 * The server named another node for a slot. Seen on single connections only; JedisCluster follows.
 */
public class JedisRedirectionException extends JedisDataException {
    private static final long serialVersionUID = 1L;

    public JedisRedirectionException(String message) {
        super(message);
    }

    public JedisRedirectionException(Throwable cause) {
        super(cause);
    }

    public JedisRedirectionException(String message, Throwable cause) {
        super(message, cause);
    }

    /** The node named in "MOVED slot host:port", or null. */
    public final HostAndPort getTargetNode() {
        String[] words = getMessage().split(" ");
        return words.length < 3 ? null : HostAndPort.from(words[2]);
    }

    /** The slot named in "MOVED slot host:port", or -1. */
    public final int getSlot() {
        String[] words = getMessage().split(" ");
        return words.length < 3 ? -1 : Integer.parseInt(words[1]);
    }
}
