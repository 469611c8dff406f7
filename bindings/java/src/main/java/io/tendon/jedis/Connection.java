package io.tendon.jedis;

/** Names what a ConnectionPoolConfig is about. Connections themselves live in the native core. */
public final class Connection {
    private Connection() {
    }
}
