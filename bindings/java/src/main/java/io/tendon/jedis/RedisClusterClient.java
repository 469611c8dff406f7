package io.tendon.jedis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Jedis' newer client of a cluster. Unlike a JedisCluster it splits DEL, UNLINK, TOUCH, EXISTS,
 * MGET and MSET by slots, each part being a command of its own: not atomic.
 */
public class RedisClusterClient extends JedisCluster {
    private RedisClusterClient(Builder from) {
        super(from.nodes, from.config, from.pool, from.topologyRefreshPeriod, from.maxAttempts,
                from.maxTotalRetriesDuration);
    }

    public static RedisClusterClient create(HostAndPort node) {
        return create(Set.of(node));
    }

    public static RedisClusterClient create(Set<HostAndPort> nodes) {
        return builder().nodes(nodes).build();
    }

    public static RedisClusterClient create(
            Set<HostAndPort> nodes, String user, String password) {
        JedisClientConfig config =
                DefaultJedisClientConfig.builder().user(user).password(password).build();
        return builder().nodes(nodes).clientConfig(config).build();
    }

    public static Builder builder() {
        return new Builder();
    }

    @Override
    public long del(String... keys) {
        return Split.sum(this, Protocol.Command.DEL, keys);
    }

    @Override
    public long del(byte[]... keys) {
        return Split.sum(this, Protocol.Command.DEL, keys);
    }

    @Override
    public long unlink(String... keys) {
        return Split.sum(this, Protocol.Command.UNLINK, keys);
    }

    @Override
    public long unlink(byte[]... keys) {
        return Split.sum(this, Protocol.Command.UNLINK, keys);
    }

    @Override
    public long touch(String... keys) {
        return Split.sum(this, Protocol.Command.TOUCH, keys);
    }

    @Override
    public long touch(byte[]... keys) {
        return Split.sum(this, Protocol.Command.TOUCH, keys);
    }

    @Override
    public long exists(String... keys) {
        return Split.sum(this, Protocol.Command.EXISTS, keys);
    }

    @Override
    public long exists(byte[]... keys) {
        return Split.sum(this, Protocol.Command.EXISTS, keys);
    }

    @Override
    public List<String> mget(String... keys) {
        List<String> values = new ArrayList<>(keys.length);
        for (byte[] value : Split.mget(this, Split.bytes(keys))) {
            values.add(BuilderFactory.STRING.build(value));
        }
        return values;
    }

    @Override
    public List<byte[]> mget(byte[]... keys) {
        return Split.mget(this, keys);
    }

    @Override
    public String mset(String... keysvalues) {
        return Split.mset(this, Split.bytes(keysvalues));
    }

    @Override
    public String mset(byte[]... keysvalues) {
        return Split.mset(this, keysvalues);
    }

    /** What a RedisClusterClient is made of; nodes are needed. */
    public static final class Builder {
        private Set<HostAndPort> nodes = Set.of();
        private JedisClientConfig config = DefaultJedisClientConfig.builder().build();
        private GenericObjectPoolConfig<Connection> pool = new GenericObjectPoolConfig<>();
        private int maxAttempts = DEFAULT_MAX_ATTEMPTS;
        private Duration maxTotalRetriesDuration;
        private Duration topologyRefreshPeriod;

        private Builder() {
        }

        /** Some nodes of the cluster, or its configuration endpoint. */
        public Builder nodes(Set<HostAndPort> addresses) {
            nodes = addresses;
            return this;
        }

        public Builder clientConfig(JedisClientConfig settings) {
            config = settings;
            return this;
        }

        public Builder poolConfig(GenericObjectPoolConfig<Connection> limits) {
            pool = limits;
            return this;
        }

        public Builder maxAttempts(int attempts) {
            maxAttempts = attempts;
            return this;
        }

        public Builder maxTotalRetriesDuration(Duration duration) {
            maxTotalRetriesDuration = duration;
            return this;
        }

        /** How often the map is read again without a reason; by default every minute. */
        public Builder topologyRefreshPeriod(Duration period) {
            topologyRefreshPeriod = period;
            return this;
        }

        public RedisClusterClient build() {
            return new RedisClusterClient(this);
        }
    }
}
