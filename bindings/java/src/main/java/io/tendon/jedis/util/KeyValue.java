package io.tendon.jedis.util;

import java.util.AbstractMap;

/** A key with its value. */
public class KeyValue<K, V> extends AbstractMap.SimpleImmutableEntry<K, V> {
    private static final long serialVersionUID = 1L;

    public KeyValue(K key, V value) {
        super(key, value);
    }

    public static <K, V> KeyValue<K, V> of(K key, V value) {
        return new KeyValue<>(key, value);
    }
}
