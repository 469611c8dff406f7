package io.tendon.jedis.util;

import io.tendon.jedis.CommandKeyArgumentPreProcessor;
import java.util.Arrays;

/** A prefix before every key. */
public class PrefixedKeyArgumentPreProcessor implements CommandKeyArgumentPreProcessor {
    private final byte[] prefix;

    public PrefixedKeyArgumentPreProcessor(String prefix) {
        this.prefix = SafeEncoder.encode(prefix);
    }

    @Override
    public Object actualKey(Object key) {
        byte[] bytes = key instanceof byte[] raw ? raw : SafeEncoder.encode((String) key);
        byte[] both = Arrays.copyOf(prefix, prefix.length + bytes.length);
        System.arraycopy(bytes, 0, both, prefix.length, bytes.length);
        return both;
    }
}
