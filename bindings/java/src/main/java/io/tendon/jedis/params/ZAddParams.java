package io.tendon.jedis.params;

/** Options of ZADD: conditions, and whether changed members are counted. */
public class ZAddParams extends OptionalWords<ZAddParams> {
    public static ZAddParams zAddParams() {
        return new ZAddParams();
    }

    /** Only new members. */
    public ZAddParams nx() {
        return put("condition", "NX");
    }

    /** Only members that are there. */
    public ZAddParams xx() {
        return put("condition", "XX");
    }

    /** Only when the new score is greater. */
    public ZAddParams gt() {
        return put("comparison", "GT");
    }

    /** Only when the new score is less. */
    public ZAddParams lt() {
        return put("comparison", "LT");
    }

    /** Counts changed members too. */
    public ZAddParams ch() {
        return put("changed", "CH");
    }
}
