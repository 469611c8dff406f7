package io.tendon.jedis.params;

/** Options of SET: a condition, a life time, and whether an old life time stays. */
public class SetParams extends OptionalWords<SetParams> {
    private static final String CONDITION = "condition";
    private static final String EXPIRY = "expiry";

    public static SetParams setParams() {
        return new SetParams();
    }

    /** Only when the key does not exist. */
    public SetParams nx() {
        return put(CONDITION, "NX");
    }

    /** Only when the key exists. */
    public SetParams xx() {
        return put(CONDITION, "XX");
    }

    /** Life time in seconds. */
    public SetParams ex(long seconds) {
        return put(EXPIRY, "EX", seconds);
    }

    /** Life time in milliseconds. */
    public SetParams px(long milliseconds) {
        return put(EXPIRY, "PX", milliseconds);
    }

    /** End of life in seconds since 1970. */
    public SetParams exAt(long unixSeconds) {
        return put(EXPIRY, "EXAT", unixSeconds);
    }

    /** End of life in milliseconds since 1970. */
    public SetParams pxAt(long unixMilliseconds) {
        return put(EXPIRY, "PXAT", unixMilliseconds);
    }

    /** Keeps the life time that the key has. */
    public SetParams keepTtl() {
        return put(EXPIRY, "KEEPTTL");
    }

    /** Jedis' older spelling of keepTtl. */
    public SetParams keepttl() {
        return keepTtl();
    }
}
