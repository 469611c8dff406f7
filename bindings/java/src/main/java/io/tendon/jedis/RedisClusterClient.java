package io.tendon.jedis;

import java.time.Duration;
import java.util.Set;

/** Jedis' newer name of a JedisCluster; made by create or builder. */
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
