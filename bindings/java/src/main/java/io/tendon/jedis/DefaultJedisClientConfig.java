package io.tendon.jedis;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocketFactory;

/** The usual JedisClientConfig, made by a builder. */
public final class DefaultJedisClientConfig implements JedisClientConfig {
    private final Builder from;

    private DefaultJedisClientConfig(Builder builder) {
        from = builder;
    }

    public static Builder builder() {
        return new Builder();
    }

    @Override
    public int getConnectionTimeoutMillis() {
        return from.connectionTimeoutMillis;
    }

    @Override
    public int getSocketTimeoutMillis() {
        return from.socketTimeoutMillis;
    }

    @Override
    public String getUser() {
        return from.user;
    }

    @Override
    public String getPassword() {
        return from.password;
    }

    @Override
    public Supplier<RedisCredentials> getCredentialsProvider() {
        return from.credentialsProvider;
    }

    @Override
    public int getBlockingSocketTimeoutMillis() {
        return from.blockingSocketTimeoutMillis;
    }

    @Override
    public boolean isAutoNegotiateProtocol() {
        return from.autoNegotiate;
    }

    @Override
    public ClientSetInfoConfig getClientSetInfoConfig() {
        return from.clientSetInfoConfig;
    }

    @Override
    public HostAndPortMapper getHostAndPortMapper() {
        return from.hostAndPortMapper;
    }

    @Override
    public CommandKeyArgumentPreProcessor getCommandKeyArgumentPreProcessor() {
        return from.keys;
    }

    @Override
    public int getDatabase() {
        return from.database;
    }

    @Override
    public String getClientName() {
        return from.clientName;
    }

    @Override
    public RedisProtocol getRedisProtocol() {
        return from.protocol;
    }

    @Override
    public boolean isSsl() {
        return from.ssl;
    }

    @Override
    public SslOptions getSslOptions() {
        return from.sslOptions;
    }

    @Override
    public SSLSocketFactory getSslSocketFactory() {
        return from.sslSocketFactory;
    }

    @Override
    public SSLParameters getSslParameters() {
        return from.sslParameters;
    }

    @Override
    public HostnameVerifier getHostnameVerifier() {
        return from.hostnameVerifier;
    }

    @Override
    public boolean isReadOnlyForRedisClusterReplicas() {
        return from.readOnlyForReplicas;
    }

    @Override
    public Map<String, String> getTendonOptions() {
        return from.options;
    }

    /** Collects the settings. */
    public static final class Builder {
        private final Map<String, String> options = new LinkedHashMap<>();
        private int connectionTimeoutMillis = Protocol.DEFAULT_TIMEOUT;
        private int socketTimeoutMillis = Protocol.DEFAULT_TIMEOUT;
        private String user;
        private String password;
        private int database = Protocol.DEFAULT_DATABASE;
        private String clientName;
        private RedisProtocol protocol;
        private boolean ssl;
        private SslOptions sslOptions;
        private SSLSocketFactory sslSocketFactory;
        private SSLParameters sslParameters;
        private HostnameVerifier hostnameVerifier;
        private boolean readOnlyForReplicas;
        private int blockingSocketTimeoutMillis;
        private boolean autoNegotiate;
        private Supplier<RedisCredentials> credentialsProvider;
        private ClientSetInfoConfig clientSetInfoConfig = ClientSetInfoConfig.DEFAULT;
        private HostAndPortMapper hostAndPortMapper;
        private CommandKeyArgumentPreProcessor keys;

        private Builder() {
        }

        public DefaultJedisClientConfig build() {
            return new DefaultJedisClientConfig(
                    new Builder().from(new DefaultJedisClientConfig(this)));
        }

        /** Takes all settings of another one. */
        public Builder from(JedisClientConfig other) {
            options.clear();
            options.putAll(other.getTendonOptions());
            readOnlyForReplicas = other.isReadOnlyForRedisClusterReplicas();
            autoNegotiate = other.isAutoNegotiateProtocol();
            return timeouts(other.getConnectionTimeoutMillis(), other.getSocketTimeoutMillis())
                    .blockingSocketTimeoutMillis(other.getBlockingSocketTimeoutMillis())
                    .user(other.getUser())
                    .password(other.getPassword())
                    .credentialsProvider(other.getCredentialsProvider())
                    .database(other.getDatabase())
                    .clientName(other.getClientName())
                    .clientSetInfoConfig(other.getClientSetInfoConfig())
                    .protocol(other.getRedisProtocol())
                    .ssl(other.isSsl())
                    .sslOptions(other.getSslOptions())
                    .sslSocketFactory(other.getSslSocketFactory())
                    .sslParameters(other.getSslParameters())
                    .hostnameVerifier(other.getHostnameVerifier())
                    .hostAndPortMapper(other.getHostAndPortMapper())
                    .commandKeyArgumentPreProcessor(other.getCommandKeyArgumentPreProcessor());
        }

        private Builder timeouts(int connecting, int socket) {
            connectionTimeoutMillis = connecting;
            socketTimeoutMillis = socket;
            return this;
        }

        /** Sets both time-outs. */
        public Builder timeoutMillis(int milliseconds) {
            return timeouts(milliseconds, milliseconds);
        }

        public Builder connectionTimeoutMillis(int milliseconds) {
            return timeouts(milliseconds, socketTimeoutMillis);
        }

        public Builder socketTimeoutMillis(int milliseconds) {
            return timeouts(connectionTimeoutMillis, milliseconds);
        }

        public Builder user(String name) {
            user = name;
            return this;
        }

        public Builder password(String text) {
            password = text;
            return this;
        }

        public Builder credentials(RedisCredentials credentials) {
            return credentialsProvider(() -> credentials);
        }

        /** Asked once, when a client is made. */
        public Builder credentialsProvider(Supplier<RedisCredentials> provider) {
            credentialsProvider = provider;
            return this;
        }

        /** Accepted, without effect, see JedisClientConfig. */
        public Builder blockingSocketTimeoutMillis(int milliseconds) {
            blockingSocketTimeoutMillis = milliseconds;
            return this;
        }

        /** RESP3 when the server knows it, where protocol was not called. */
        public Builder autoNegotiateProtocol(boolean wanted) {
            autoNegotiate = wanted;
            return this;
        }

        /** RESP2, which servers begin with. */
        public Builder serverDefaultProtocol() {
            return protocol(null).autoNegotiateProtocol(false);
        }

        public Builder clientSetInfoConfig(ClientSetInfoConfig config) {
            clientSetInfoConfig = config;
            return this;
        }

        /** Not null is refused when connecting, see JedisClientConfig. */
        public Builder hostAndPortMapper(HostAndPortMapper mapper) {
            hostAndPortMapper = mapper;
            return this;
        }

        /** Changes the keys of all commands of JedisPooled, JedisCluster and AsyncJedis. */
        public Builder commandKeyArgumentPreProcessor(CommandKeyArgumentPreProcessor processor) {
            keys = processor;
            return this;
        }

        public Builder database(int number) {
            database = number;
            return this;
        }

        public Builder clientName(String name) {
            clientName = name;
            return this;
        }

        public Builder protocol(RedisProtocol version) {
            protocol = version;
            return this;
        }

        public Builder resp2() {
            return protocol(RedisProtocol.RESP2);
        }

        public Builder resp3() {
            return protocol(RedisProtocol.RESP3);
        }

        public Builder ssl(boolean wanted) {
            ssl = wanted;
            return this;
        }

        public Builder sslOptions(SslOptions wanted) {
            sslOptions = wanted;
            return this;
        }

        /** Not null is refused when connecting, see JedisClientConfig. */
        public Builder sslSocketFactory(SSLSocketFactory factory) {
            sslSocketFactory = factory;
            return this;
        }

        /** Not null is refused when connecting, see JedisClientConfig. */
        public Builder sslParameters(SSLParameters parameters) {
            sslParameters = parameters;
            return this;
        }

        /** Not null is refused when connecting, see JedisClientConfig. */
        public Builder hostnameVerifier(HostnameVerifier verifier) {
            hostnameVerifier = verifier;
            return this;
        }

        /** Reads in a cluster may go to replicas. */
        public Builder readOnlyForRedisClusterReplicas() {
            readOnlyForReplicas = true;
            return this;
        }

        /** Any option of docs/options.md by its name; only tendon has this. */
        public Builder option(String name, String value) {
            options.put(name, value);
            return this;
        }
    }
}
