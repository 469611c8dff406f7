package io.tendon.jedis;

import java.net.Socket;

/** Where to connect, and with which time-outs and TLS. The native core connects. */
public class DefaultJedisSocketFactory implements JedisSocketFactory {
    private volatile HostAndPort server;
    private final JedisClientConfig config;

    public DefaultJedisSocketFactory() {
        this(new HostAndPort(Protocol.DEFAULT_HOST, Protocol.DEFAULT_PORT));
    }

    public DefaultJedisSocketFactory(HostAndPort server) {
        this(server, DefaultJedisClientConfig.builder().build());
    }

    public DefaultJedisSocketFactory(JedisClientConfig config) {
        this(new HostAndPort(Protocol.DEFAULT_HOST, Protocol.DEFAULT_PORT), config);
    }

    public DefaultJedisSocketFactory(HostAndPort server, JedisClientConfig config) {
        this.server = server;
        this.config = config;
    }

    public HostAndPort getHostAndPort() {
        return server;
    }

    /** For clients that are made from now on. */
    public void updateHostAndPort(HostAndPort address) {
        server = address;
    }

    /** Connections are not sockets of Java here. */
    @Override
    public Socket createSocket() {
        throw new UnsupportedOperationException("connections are made by the native core");
    }

    /** The factory of a client; others than this class are refused. */
    static DefaultJedisSocketFactory of(Setup setup) {
        if (setup.sockets instanceof DefaultJedisSocketFactory known) {
            return known;
        }
        throw CoreOptions.refused("socketFactory: connections are made by the native core; use a"
                + " DefaultJedisSocketFactory, or a unix:// URL");
    }

    /** {@code other} with what this says of connecting; TLS when one of them says so. */
    JedisClientConfig config(JedisClientConfig other) {
        SslOptions tls = config.getSslOptions();
        return DefaultJedisClientConfig.builder().from(other)
                .connectionTimeoutMillis(config.getConnectionTimeoutMillis())
                .socketTimeoutMillis(config.getSocketTimeoutMillis())
                .ssl(config.isSsl() || other.isSsl())
                .sslOptions(tls != null ? tls : other.getSslOptions()).build();
    }
}
