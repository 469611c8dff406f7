package io.tendon.jedis.util;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Text to bytes and back, in UTF-8. */
public final class SafeEncoder {
    private SafeEncoder() {
    }

    public static byte[] encode(String text) {
        if (text == null) {
            throw new IllegalArgumentException("null value cannot be sent to redis");
        }
        return text.getBytes(StandardCharsets.UTF_8);
    }

    public static String encode(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Bytes anywhere in nested lists become text; everything else stays. */
    public static Object encodeObject(Object value) {
        if (value instanceof byte[] bytes) {
            return encode(bytes);
        }
        if (value instanceof KeyValue<?, ?> pair) {
            return new KeyValue<>(encodeObject(pair.getKey()), encodeObject(pair.getValue()));
        }
        if (value instanceof List<?> list) {
            List<Object> encoded = new ArrayList<>(list.size());
            list.forEach(element -> encoded.add(encodeObject(element)));
            return encoded;
        }
        return value;
    }
}
