package io.tendon.jedis.params;

import io.tendon.jedis.util.SafeEncoder;

/** Options of SCAN and its relatives: a pattern, and how much to look at in one step. */
public class ScanParams extends OptionalWords<ScanParams> {
    public static final String SCAN_POINTER_START = "0";
    public static final byte[] SCAN_POINTER_START_BINARY = SafeEncoder.encode(SCAN_POINTER_START);

    public static ScanParams scanParams() {
        return new ScanParams();
    }

    /** Only what fits this glob pattern. */
    public ScanParams match(String pattern) {
        return match(SafeEncoder.encode(pattern));
    }

    /** Only what fits this glob pattern. */
    public ScanParams match(byte[] pattern) {
        return put("match", "MATCH", pattern);
    }

    /** About how many elements to look at in one step. */
    public ScanParams count(Integer count) {
        return put("count", "COUNT", count.longValue());
    }
}
