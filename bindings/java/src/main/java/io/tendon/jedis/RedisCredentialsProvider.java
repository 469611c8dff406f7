package io.tendon.jedis;

import java.util.function.Supplier;

/** Where credentials come from. Asked when a client is made, and when the server refuses them. */
public interface RedisCredentialsProvider extends Supplier<RedisCredentials> {
    /** Before get. */
    default void prepare() {
    }

    /** After get. */
    default void cleanUp() {
    }
}
