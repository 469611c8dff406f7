package io.tendon.jedis;

import io.tendon.jedis.exceptions.Failure;
import io.tendon.jedis.exceptions.JedisValidationException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;
import java.util.function.Supplier;

/** Jedis' settings as options of the native core (docs/options.md). */
final class CoreOptions {
    private static final int CONNECT_TIMEOUT_MS_MAX = 3_600_000;
    /**
     * Jedis dials whenever it is asked; this spares a server that is down without being noticed.
     */
    private static final int REDIAL_MS_MAX = 100;
    private static final int POOL_MAX = 65_000;

    private final Map<String, String> options = new LinkedHashMap<>();
    private final Setup setup;
    private final JedisClientConfig config;

    private CoreOptions(Setup setup) {
        this.setup = setup;
        JedisClientConfig told = setup.config != null
                ? setup.config
                : DefaultJedisClientConfig.builder().build();
        config = setup.sockets == null ? told : DefaultJedisSocketFactory.of(setup).config(told);
    }

    JedisClientConfig config() {
        return config;
    }

    /** Of one server or of a cluster, whichever was told. */
    static CoreOptions of(Setup setup) {
        CoreOptions made = new CoreOptions(setup);
        if (setup.nodes == null) {
            made.server();
        } else {
            made.cluster();
        }
        made.connection();
        return made.pool();
    }

    private void server() {
        HostAndPort server = setup.sockets == null
                ? setup.server
                : DefaultJedisSocketFactory.of(setup).getHostAndPort();
        String host = setup.url != null && url() == null ? setup.url : Protocol.DEFAULT_HOST;
        put("mode", "standalone");
        put("host", server == null ? host : server.getHost());
        put("port", server == null ? Protocol.DEFAULT_PORT : server.getPort());
        put("command_timeout_ms", 0);
    }

    /** Null when none was told; a text that may be a host name is a URL by its punctuation. */
    String url() {
        String url = setup.url;
        boolean isHost = url != null && setup.mayBeHost && url.indexOf(':') < 0
                && url.indexOf('/') < 0;
        return isHost ? null : url;
    }

    private void cluster() {
        StringJoiner endpoints = new StringJoiner(",");
        setup.nodes.forEach(seed -> endpoints.add(seed.endpoint()));
        int attempts = attempts();
        put("mode", "cluster");
        put("endpoints", endpoints.toString());
        put("read_from", config.isReadOnlyForRedisClusterReplicas() ? "replica" : "primary");
        put("max_redirects", attempts);
        put("command_timeout_ms", setup.maxTotalRetriesDuration != null
                ? setup.maxTotalRetriesDuration.toMillis()
                : (long) config.getSocketTimeoutMillis() * attempts);
        if (setup.topologyRefreshPeriod != null) {
            put("cluster_refresh_interval_ms", setup.topologyRefreshPeriod.toMillis());
        }
    }

    private int attempts() {
        if (setup.maxAttempts != null) {
            return setup.maxAttempts;
        }
        return setup.nodes == null ? 1 : JedisCluster.DEFAULT_MAX_ATTEMPTS;
    }

    private void connection() {
        int connecting = config.getConnectionTimeoutMillis();
        put("lib_name", config.getClientSetInfoConfig().libraryName());
        put("connect_timeout_ms", connecting == 0 ? CONNECT_TIMEOUT_MS_MAX : connecting);
        put("reconnect_backoff_min_ms", 1);
        put("reconnect_backoff_max_ms", REDIAL_MS_MAX);
        put("read_timeout_ms", config.getSocketTimeoutMillis());
        put("write_timeout_ms", config.getSocketTimeoutMillis());
        put("protocol", protocol());
        put("db", config.getDatabase());
        putUnlessNull("username", config.getUser());
        putUnlessNull("password", config.getPassword());
        putUnlessNull("client_name", config.getClientName());
        tls();
    }

    private String protocol() {
        if (config.getRedisProtocol() == null) {
            return config.isAutoNegotiateProtocol() ? "auto" : "2";
        }
        return config.getRedisProtocol().version();
    }

    /** Null without a provider, which wins over user and password. */
    Login login() {
        Supplier<RedisCredentials> provider = config.getCredentialsProvider();
        return provider == null ? null : new Login(provider);
    }

    private void tls() {
        refuse(config.getSslSocketFactory(), "sslSocketFactory", "a Java SSLSocketFactory",
                "use sslOptions with caFile, certFile and keyFile");
        refuse(config.getSslParameters(), "sslParameters", "Java SSLParameters",
                "use sslOptions, or options tls_min_version and tls_ciphers");
        refuse(config.getHostnameVerifier(), "hostnameVerifier", "a Java HostnameVerifier",
                "use sslOptions with serverName");
        if (config.getHostAndPortMapper() != null) {
            throw refused("hostAndPortMapper: connections are made by the native core, to the"
                    + " addresses that the cluster tells; have it announce the right ones"
                    + " (cluster-announce-hostname)");
        }
        SslOptions ssl = config.getSslOptions();
        put("tls", config.isSsl() || ssl != null ? "yes" : "no");
        if (ssl != null) {
            options.putAll(ssl.options());
        }
    }

    private static void refuse(Object given, String name, String what, String instead) {
        if (given != null) {
            throw refused(name, what, instead);
        }
    }

    static JedisValidationException refused(String name, String what, String instead) {
        return refused(name + ": TLS is spoken by the native core, which cannot use " + what + "; "
                + instead);
    }

    static JedisValidationException refused(String message) {
        JedisValidationException exception = new JedisValidationException(message);
        exception.with(Failure.before(Failure.CONFIG, message));
        return exception;
    }

    /** One connection, lent to one Jedis for its life. */
    CoreOptions single() {
        put("pool_max", 1);
        put("pool_max_idle", 0);
        put("pool_wait_ms", -1);
        put("max_retries", 0);
        return this;
    }

    private CoreOptions pool() {
        GenericObjectPoolConfig<?> pool =
                setup.pool != null ? setup.pool : new GenericObjectPoolConfig<>();
        if (pool.getMaxTotal() == 0) {
            throw new JedisValidationException(
                    "maxTotal is 0, so no connection could ever be lent; "
                    + "set it to 1 or more, or negative for no limit");
        }
        int max = pool.getMaxTotal() < 0 ? POOL_MAX : pool.getMaxTotal();
        int maxIdle = pool.getMaxIdle() < 0 ? max : Math.min(pool.getMaxIdle(), max);
        boolean evicts = isPositive(pool.getDurationBetweenEvictionRuns());
        put("pool_max", max);
        put("pool_max_idle", maxIdle);
        put("pool_min_idle", Math.min(pool.getMinIdle(), maxIdle)); /* as commons-pool2 reads it */
        put("pool_wait_ms",
                pool.getBlockWhenExhausted() ? Math.max(pool.getMaxWaitMillis(), -1) : 0);
        put("pool_test_on_borrow", yesNo(pool.getTestOnBorrow()));
        put("pool_test_on_return", yesNo(pool.getTestOnReturn()));
        put("pool_test_while_idle", yesNo(pool.getTestWhileIdle() && evicts));
        put("health_check_interval_ms", evicts ? pool.getTimeBetweenEvictionRunsMillis() : 0);
        put("pool_idle_timeout_ms", evicts ? Math.max(pool.getMinEvictableIdleTimeMillis(), 0) : 0);
        put("max_retries", attempts() - 1);
        return this;
    }

    private static boolean isPositive(Duration duration) {
        return !duration.isNegative() && !duration.isZero();
    }

    private static String yesNo(boolean flag) {
        return flag ? "yes" : "no";
    }

    void put(String name, long value) {
        put(name, Long.toString(value));
    }

    void put(String name, String value) {
        options.put(name, value);
    }

    private void putUnlessNull(String name, String value) {
        if (value != null) {
            put(name, value);
        }
    }

    /** All of them; what the program told by the core's own names wins over what was derived. */
    Map<String, String> options() {
        Map<String, String> all = new LinkedHashMap<>(options);
        all.putAll(config.getTendonOptions());
        return all;
    }
}
