package io.tendon.jedis.args;

import io.tendon.jedis.util.SafeEncoder;

/** When an expiry is set. */
public enum ExpiryOption implements Rawable {
    NX, XX, GT, LT;

    private final byte[] raw = SafeEncoder.encode(name());

    @Override
    public byte[] getRaw() {
        return raw;
    }
}
