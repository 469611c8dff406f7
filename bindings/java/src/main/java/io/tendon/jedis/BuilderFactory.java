package io.tendon.jedis;

import io.tendon.jedis.resps.ScanResult;
import io.tendon.jedis.resps.Tuple;
import io.tendon.jedis.util.KeyValue;
import io.tendon.jedis.util.SafeEncoder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;

/** The builders that the commands use. All accept what RESP2 and RESP3 make of a reply. */
public final class BuilderFactory {
    public static final Builder<byte[]> BINARY = new Builder<>() {
        @Override
        public byte[] build(Object data) {
            return (byte[]) data;
        }

        @Override
        byte[] read(Reply reply) {
            return reply.isString() ? reply.bytes() : build(reply.object());
        }

        @Override
        boolean readsInPlace() {
            return true;
        }
    };
    public static final Builder<String> STRING = new Builder<>() {
        @Override
        public String build(Object data) {
            return data instanceof byte[] bytes ? SafeEncoder.encode(bytes)
                    : data == null ? null : data.toString();
        }

        @Override
        String read(Reply reply) {
            return reply.isString() ? reply.text() : build(reply.object());
        }

        @Override
        boolean readsInPlace() {
            return true;
        }
    };
    public static final Builder<Long> LONG = new Builder<>() {
        @Override
        public Long build(Object data) {
            return (Long) data;
        }

        @Override
        Long read(Reply reply) {
            return reply.type() == Reply.INTEGER ? (Long) reply.integer() : build(reply.object());
        }

        @Override
        boolean readsInPlace() {
            return true;
        }
    };
    public static final Builder<Double> DOUBLE = of(BuilderFactory::toDouble);
    public static final Builder<Boolean> BOOLEAN = of(BuilderFactory::toBoolean);
    public static final Builder<Object> RAW_OBJECT = of(data -> data);
    public static final Builder<Object> ENCODED_OBJECT = of(SafeEncoder::encodeObject);
    public static final Builder<List<Object>> RAW_OBJECT_LIST = listOf(RAW_OBJECT);
    public static final Builder<List<Object>> ENCODED_OBJECT_LIST = listOf(ENCODED_OBJECT);
    public static final Builder<List<String>> STRING_LIST = listOf(STRING);
    public static final Builder<List<byte[]>> BINARY_LIST = listOf(BINARY);
    public static final Builder<List<Boolean>> BOOLEAN_LIST = listOf(BOOLEAN);
    public static final Builder<List<Double>> DOUBLE_LIST = listOf(DOUBLE);
    public static final Builder<Set<String>> STRING_SET = setOf(STRING);
    public static final Builder<Set<byte[]>> BINARY_SET = setOf(BINARY);
    public static final Builder<Map<String, String>> STRING_MAP =
            of(data -> map(data, STRING, new LinkedHashMap<>()));
    /** Finds its keys by content, not by identity. */
    public static final Builder<Map<byte[], byte[]>> BINARY_MAP =
            of(data -> map(data, BINARY, new TreeMap<>(Arrays::compare)));
    public static final Builder<Tuple> TUPLE = of(data -> first(tuples(data)));
    public static final Builder<List<Tuple>> TUPLE_LIST = of(BuilderFactory::tuples);
    public static final Builder<KeyValue<String, String>> KEYED_STRING =
            of(data -> first(entries(data, STRING)));
    public static final Builder<KeyValue<byte[], byte[]>> KEYED_BINARY =
            of(data -> first(entries(data, BINARY)));
    public static final Builder<ScanResult<String>> SCAN_STRING = scanOf(STRING_LIST);
    public static final Builder<ScanResult<byte[]>> SCAN_BINARY = scanOf(BINARY_LIST);
    public static final Builder<ScanResult<Map.Entry<String, String>>> SCAN_HASH_STRING =
            scanOf(of(data -> new ArrayList<>(entries(data, STRING))));
    public static final Builder<ScanResult<Map.Entry<byte[], byte[]>>> SCAN_HASH_BINARY =
            scanOf(of(data -> new ArrayList<>(entries(data, BINARY))));
    public static final Builder<ScanResult<Tuple>> SCAN_TUPLE = scanOf(TUPLE_LIST);

    private BuilderFactory() {
    }

    static <T> Builder<T> of(Function<Object, T> function) {
        return new Builder<>() {
            @Override
            public T build(Object data) {
                return function.apply(data);
            }
        };
    }

    private static <T> Builder<List<T>> listOf(Builder<T> element) {
        return of(data -> {
            if (data == null) {
                return null;
            }
            List<T> list = new ArrayList<>(((List<?>) data).size());
            ((List<?>) data).forEach(one -> list.add(element.build(one)));
            return list;
        });
    }

    private static <T> Builder<Set<T>> setOf(Builder<T> element) {
        return of(data -> {
            Set<T> set = new LinkedHashSet<>();
            asCollection(data).forEach(one -> set.add(element.build(one)));
            return set;
        });
    }

    private static <T> Builder<ScanResult<T>> scanOf(Builder<List<T>> elements) {
        return of(data -> {
            List<?> pair = (List<?>) data;
            return new ScanResult<>((byte[]) pair.get(0), elements.build(pair.get(1)));
        });
    }

    private static Double toDouble(Object data) {
        if (data instanceof byte[] bytes) {
            return switch (SafeEncoder.encode(bytes)) {
                case "inf", "+inf" -> Double.POSITIVE_INFINITY;
                case "-inf" -> Double.NEGATIVE_INFINITY;
                case "nan" -> Double.NaN;
                default -> Double.valueOf(SafeEncoder.encode(bytes));
            };
        }
        return data == null ? null : ((Number) data).doubleValue();
    }

    private static Boolean toBoolean(Object data) {
        return data instanceof Long number ? number == 1 : (Boolean) data;
    }

    private static Collection<?> asCollection(Object data) {
        return data == null ? List.of() : (Collection<?>) data;
    }

    /** Pairs in any form: one flat list, a list of pairs, a map of RESP3. */
    private static List<KeyValue<Object, Object>> pairs(Object data) {
        List<KeyValue<Object, Object>> pairs = new ArrayList<>();
        Object key = null;
        boolean waiting = false;
        for (Object one : asCollection(data)) {
            if (one instanceof KeyValue<?, ?> pair) {
                pairs.add(new KeyValue<>(pair.getKey(), pair.getValue()));
            } else if (one instanceof List<?> pair) {
                pairs.add(new KeyValue<>(pair.get(0), pair.get(1)));
            } else if (waiting) {
                pairs.add(new KeyValue<>(key, one));
                waiting = false;
            } else {
                key = one;
                waiting = true;
            }
        }
        return pairs;
    }

    private static <T> List<KeyValue<T, T>> entries(Object data, Builder<T> side) {
        List<KeyValue<T, T>> entries = new ArrayList<>();
        for (KeyValue<Object, Object> pair : pairs(data)) {
            entries.add(new KeyValue<>(side.build(pair.getKey()), side.build(pair.getValue())));
        }
        return entries;
    }

    private static <T> Map<T, T> map(Object data, Builder<T> side, Map<T, T> map) {
        pairs(data).forEach(
                pair -> map.put(side.build(pair.getKey()), side.build(pair.getValue())));
        return map;
    }

    private static List<Tuple> tuples(Object data) {
        List<Tuple> tuples = new ArrayList<>();
        pairs(data).forEach(
                pair -> tuples.add(new Tuple((byte[]) pair.getKey(), toDouble(pair.getValue()))));
        return tuples;
    }

    private static <T> T first(List<T> list) {
        return list.isEmpty() ? null : list.get(0);
    }
}
