package io.tendon.jedis.params;

/** Options of GETEX: the life time that the key gets. */
public class GetExParams extends OptionalWords<GetExParams> {
    private static final String EXPIRY = "expiry";

    public static GetExParams getExParams() {
        return new GetExParams();
    }

    /** Life time in seconds. */
    public GetExParams ex(long seconds) {
        return put(EXPIRY, "EX", seconds);
    }

    /** Life time in milliseconds. */
    public GetExParams px(long milliseconds) {
        return put(EXPIRY, "PX", milliseconds);
    }

    /** End of life in seconds since 1970. */
    public GetExParams exAt(long unixSeconds) {
        return put(EXPIRY, "EXAT", unixSeconds);
    }

    /** End of life in milliseconds since 1970. */
    public GetExParams pxAt(long unixMilliseconds) {
        return put(EXPIRY, "PXAT", unixMilliseconds);
    }

    /** Takes the life time away. */
    public GetExParams persist() {
        return put(EXPIRY, "PERSIST");
    }
}
