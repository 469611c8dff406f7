package io.tendon.jedis.args;

import io.tendon.jedis.util.SafeEncoder;

/** Which end of a list. */
public enum ListDirection implements Rawable {
    LEFT, RIGHT;

    private final byte[] raw = SafeEncoder.encode(name());

    @Override
    public byte[] getRaw() {
        return raw;
    }
}
