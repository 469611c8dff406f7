package io.tendon.jedis;

/** Who a connection is to be. */
public interface RedisCredentials {
    /** Null: the default user. */
    default String getUser() {
        return null;
    }

    default char[] getPassword() {
        return null;
    }
}
