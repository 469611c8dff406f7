package io.tendon.jedis;

/** Credentials that a program may replace at any time. */
public final class DefaultRedisCredentialsProvider implements RedisCredentialsProvider {
    private volatile RedisCredentials credentials;

    public DefaultRedisCredentialsProvider(RedisCredentials credentials) {
        this.credentials = credentials;
    }

    public void setCredentials(RedisCredentials newer) {
        credentials = newer;
    }

    @Override
    public RedisCredentials get() {
        return credentials;
    }
}
