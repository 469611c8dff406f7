package io.tendon.jedis;

import java.net.URI;

/**
 * A UnifiedJedis of one server. Connects at its first command. Commands are not retried unless
 * told.
 */
public class JedisPooled extends UnifiedJedis {
    public JedisPooled() {
        this(Protocol.DEFAULT_HOST, Protocol.DEFAULT_PORT);
    }

    public JedisPooled(String host, int port) {
        this(new HostAndPort(host, port), DefaultJedisClientConfig.builder().build());
    }

    public JedisPooled(String host, int port, boolean ssl) {
        this(new HostAndPort(host, port), DefaultJedisClientConfig.builder().ssl(ssl).build());
    }

    public JedisPooled(String host, int port, String user, String password) {
        this(new HostAndPort(host, port),
                DefaultJedisClientConfig.builder().user(user).password(password).build());
    }

    public JedisPooled(HostAndPort server) {
        this(server, DefaultJedisClientConfig.builder().build());
    }

    public JedisPooled(HostAndPort server, JedisClientConfig config) {
        this(new GenericObjectPoolConfig<>(), server, config);
    }

    public JedisPooled(GenericObjectPoolConfig<Connection> pool, String host, int port) {
        this(pool, new HostAndPort(host, port), DefaultJedisClientConfig.builder().build());
    }

    public JedisPooled(
            GenericObjectPoolConfig<Connection> pool, String host, int port, int timeout) {
        this(pool, new HostAndPort(host, port),
                DefaultJedisClientConfig.builder().timeoutMillis(timeout).build());
    }

    public JedisPooled(HostAndPort server, JedisClientConfig config,
            GenericObjectPoolConfig<Connection> pool) {
        this(pool, server, config);
    }

    public JedisPooled(GenericObjectPoolConfig<Connection> pool, HostAndPort server,
            JedisClientConfig config) {
        this(pool, server, config, 1);
    }

    /** {@code maxAttempts}: how often a command is tried when that is known to be safe. */
    public JedisPooled(GenericObjectPoolConfig<Connection> pool, HostAndPort server,
            JedisClientConfig config, int maxAttempts) {
        super(CoreOptions.standalone(server, config).pool(pool, maxAttempts), null);
    }

    /** A URL as for Jedis(String), or a host name. */
    public JedisPooled(String urlOrHost) {
        this(new GenericObjectPoolConfig<>(), urlOrHost);
    }

    public JedisPooled(URI uri) {
        this(uri.toString());
    }

    public JedisPooled(GenericObjectPoolConfig<Connection> pool, String urlOrHost) {
        super(URIs.optionsOf(urlOrHost, DefaultJedisClientConfig.builder().build()).pool(pool, 1),
                URIs.urlOf(urlOrHost));
    }
}
