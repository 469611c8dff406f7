package io.tendon.jedis;

/** Several settings at once, and settings by another name. */
public abstract class ClientConfigShortcuts {
    ClientConfigShortcuts() {
    }

    private DefaultJedisClientConfig.Builder self() {
        return (DefaultJedisClientConfig.Builder) this;
    }

    /** Both time-outs. */
    public DefaultJedisClientConfig.Builder timeoutMillis(int milliseconds) {
        return self().connectionTimeoutMillis(milliseconds).socketTimeoutMillis(milliseconds);
    }

    public DefaultJedisClientConfig.Builder resp2() {
        return self().protocol(RedisProtocol.RESP2);
    }

    public DefaultJedisClientConfig.Builder resp3() {
        return self().protocol(RedisProtocol.RESP3);
    }

    /** RESP2, which servers begin with. */
    public DefaultJedisClientConfig.Builder serverDefaultProtocol() {
        return self().protocol(null).autoNegotiateProtocol(false);
    }

    public DefaultJedisClientConfig.Builder credentials(RedisCredentials credentials) {
        return self().credentialsProvider(() -> credentials);
    }
}
