package io.tendon.jedis.args;

import io.tendon.jedis.util.SafeEncoder;

/** Where LINSERT inserts. */
public enum ListPosition implements Rawable {
    BEFORE, AFTER;

    private final byte[] raw = SafeEncoder.encode(name());

    @Override
    public byte[] getRaw() {
        return raw;
    }
}
