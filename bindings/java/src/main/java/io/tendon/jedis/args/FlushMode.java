package io.tendon.jedis.args;

import io.tendon.jedis.util.SafeEncoder;

/** How a flush frees memory. */
public enum FlushMode implements Rawable {
    SYNC, ASYNC;

    private final byte[] raw = SafeEncoder.encode(name());

    @Override
    public byte[] getRaw() {
        return raw;
    }
}
