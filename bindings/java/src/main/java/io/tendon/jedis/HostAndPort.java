package io.tendon.jedis;

import java.io.Serializable;
import java.util.Objects;

/** A host name or address with a port. */
public class HostAndPort implements Serializable {
    private static final long serialVersionUID = 1L;

    private final String host;
    private final int port;

    public HostAndPort(String host, int port) {
        this.host = Objects.requireNonNull(host, "host");
        this.port = port;
    }

    public String getHost() {
        return host;
    }

    public int getPort() {
        return port;
    }

    /** Reads "host:port"; an IPv6 address may be in brackets. */
    public static HostAndPort from(String text) {
        int colon = text.lastIndexOf(':');
        try {
            String host = colon < 0 ? "" : text.substring(0, colon);
            return new HostAndPort(unbracketed(host), Integer.parseInt(text.substring(colon + 1)));
        } catch (NumberFormatException error) {
            throw new IllegalArgumentException("\"" + text + "\" is not host:port", error);
        }
    }

    private static String unbracketed(String host) {
        return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1)
                                                          : host;
    }

    /** As option endpoints wants it. */
    String endpoint() {
        return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof HostAndPort that && port == that.port && host.equals(that.host);
    }

    @Override
    public int hashCode() {
        return 31 * host.hashCode() + port;
    }

    @Override
    public String toString() {
        return host + ":" + port;
    }
}
