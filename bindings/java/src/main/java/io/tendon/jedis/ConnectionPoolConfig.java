package io.tendon.jedis;

import java.time.Duration;

/**
 * The limits of a JedisPooled and JedisCluster: idle connections are tested every 30 s and closed
 * after 60 s.
 */
public class ConnectionPoolConfig extends GenericObjectPoolConfig<Connection> {
    public ConnectionPoolConfig() {
        setTestWhileIdle(true);
        setMinEvictableIdleDuration(Duration.ofMillis(60_000));
        setTimeBetweenEvictionRuns(Duration.ofMillis(30_000));
        setNumTestsPerEvictionRun(-1);
    }
}
