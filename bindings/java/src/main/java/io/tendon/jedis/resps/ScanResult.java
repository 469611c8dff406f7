package io.tendon.jedis.resps;

import io.tendon.jedis.params.ScanParams;
import io.tendon.jedis.util.SafeEncoder;
import java.util.List;

/** One step of a scan: what was found, and the cursor to go on with. */
public class ScanResult<T> {
    private final byte[] cursor;
    private final List<T> results;

    public ScanResult(String cursor, List<T> results) {
        this(SafeEncoder.encode(cursor), results);
    }

    public ScanResult(byte[] cursor, List<T> results) {
        this.cursor = cursor;
        this.results = results;
    }

    public String getCursor() {
        return SafeEncoder.encode(cursor);
    }

    public byte[] getCursorAsBytes() {
        return cursor;
    }

    public List<T> getResult() {
        return results;
    }

    /** Whether the scan is over: the cursor is 0 again. */
    public boolean isCompleteIteration() {
        return ScanParams.SCAN_POINTER_START.equals(getCursor());
    }
}
