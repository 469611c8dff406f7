package io.tendon.jedis;

/** Versions of the protocol. */
public enum RedisProtocol {
    RESP2("2"),
    RESP3("3");

    private final String version;

    RedisProtocol(String version) {
        this.version = version;
    }

    /** "2" or "3". */
    public String version() {
        return version;
    }
}
