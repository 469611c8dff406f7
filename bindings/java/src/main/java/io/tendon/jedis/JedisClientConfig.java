package io.tendon.jedis;

import java.util.Map;
import java.util.function.Supplier;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocketFactory;

/** How to connect. Times are milliseconds, 0 is no limit. */
public interface JedisClientConfig {
    /** For resolving, connecting, TLS and authentication together. */
    default int getConnectionTimeoutMillis() {
        return Protocol.DEFAULT_TIMEOUT;
    }

    /** For one reply, and for writing one command. */
    default int getSocketTimeoutMillis() {
        return Protocol.DEFAULT_TIMEOUT;
    }

    default String getUser() {
        return null;
    }

    default String getPassword() {
        return null;
    }

    /** Asked once, when a client is made; wins over user and password. Null: there is none. */
    default Supplier<RedisCredentials> getCredentialsProvider() {
        return null;
    }

    /**
     * Has no effect: a blocking command may take its own time and that of getSocketTimeoutMillis.
     */
    default int getBlockingSocketTimeoutMillis() {
        return 0;
    }

    /** Null is RESP2, unless this is true and a server knows RESP3. */
    default boolean isAutoNegotiateProtocol() {
        return false;
    }

    default ClientSetInfoConfig getClientSetInfoConfig() {
        return ClientSetInfoConfig.DEFAULT;
    }

    /** Not null is refused: the native core connects to the addresses that the cluster tells. */
    default HostAndPortMapper getHostAndPortMapper() {
        return null;
    }

    /** Null: keys are sent as they are. Of JedisPooled, JedisCluster and AsyncJedis. */
    default CommandKeyArgumentPreProcessor getCommandKeyArgumentPreProcessor() {
        return null;
    }

    default int getDatabase() {
        return Protocol.DEFAULT_DATABASE;
    }

    default String getClientName() {
        return null;
    }

    /** Null: RESP2. */
    default RedisProtocol getRedisProtocol() {
        return null;
    }

    default boolean isSsl() {
        return false;
    }

    /** Null: the defaults. Not null: TLS even without isSsl. */
    default SslOptions getSslOptions() {
        return null;
    }

    /** Not null is refused: the native core speaks TLS itself. */
    default SSLSocketFactory getSslSocketFactory() {
        return null;
    }

    /** Not null is refused: the native core speaks TLS itself. */
    default SSLParameters getSslParameters() {
        return null;
    }

    /** Not null is refused: the native core speaks TLS itself. */
    default HostnameVerifier getHostnameVerifier() {
        return null;
    }

    /** Whether reads in a cluster may go to replicas. */
    default boolean isReadOnlyForRedisClusterReplicas() {
        return false;
    }

    /** Options of docs/options.md beyond Jedis' own, by name; they win. */
    default Map<String, String> getTendonOptions() {
        return Map.of();
    }
}
