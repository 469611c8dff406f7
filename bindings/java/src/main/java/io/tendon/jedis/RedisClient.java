package io.tendon.jedis;

import java.net.URI;

/** Jedis' newer name for a UnifiedJedis of one server; JedisPooled is the older one. */
public class RedisClient extends UnifiedJedis {
    private RedisClient(Builder from) {
        super(from.options(), from.url);
    }

    /** Of a local server at the default port. */
    public static RedisClient create() {
        return builder().build();
    }

    public static RedisClient create(String host, int port) {
        return create(new HostAndPort(host, port));
    }

    public static RedisClient create(HostAndPort server) {
        return builder().hostAndPort(server).build();
    }

    public static RedisClient create(String host, int port, String user, String password) {
        JedisClientConfig config =
                DefaultJedisClientConfig.builder().user(user).password(password).build();
        return builder().hostAndPort(host, port).clientConfig(config).build();
    }

    /** A URL as for Jedis(String). */
    public static RedisClient create(String url) {
        return builder().fromURI(url).build();
    }

    public static RedisClient create(URI uri) {
        return create(uri.toString());
    }

    public static Builder builder() {
        return new Builder();
    }

    /** What a RedisClient is made of. */
    public static final class Builder {
        private HostAndPort server = new HostAndPort(Protocol.DEFAULT_HOST, Protocol.DEFAULT_PORT);
        private String url;
        private JedisClientConfig config = DefaultJedisClientConfig.builder().build();
        private GenericObjectPoolConfig<Connection> pool = new GenericObjectPoolConfig<>();

        private Builder() {
        }

        public Builder hostAndPort(HostAndPort address) {
            server = address;
            return this;
        }

        public Builder hostAndPort(String host, int port) {
            return hostAndPort(new HostAndPort(host, port));
        }

        /** A URL as for Jedis(String); it wins over what else is said. */
        public Builder fromURI(String text) {
            url = text;
            return this;
        }

        public Builder fromURI(URI uri) {
            return fromURI(uri.toString());
        }

        public Builder clientConfig(JedisClientConfig settings) {
            config = settings;
            return this;
        }

        public Builder poolConfig(GenericObjectPoolConfig<Connection> limits) {
            pool = limits;
            return this;
        }

        public RedisClient build() {
            return new RedisClient(this);
        }

        private CoreOptions options() {
            return CoreOptions.standalone(server, config).pool(pool, 1);
        }
    }
}
