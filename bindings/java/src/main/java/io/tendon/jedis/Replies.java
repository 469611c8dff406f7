package io.tendon.jedis;

import io.tendon.jedis.resps.GeoRadiusResponse;
import io.tendon.jedis.resps.LCSMatchResult;
import io.tendon.jedis.resps.LCSMatchResult.MatchedPosition;
import io.tendon.jedis.resps.LCSMatchResult.Position;
import io.tendon.jedis.resps.StreamEntry;
import io.tendon.jedis.resps.StreamEntryBinary;
import io.tendon.jedis.resps.Tuple;
import io.tendon.jedis.util.KeyValue;
import io.tendon.jedis.util.SafeEncoder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** How raw replies become what the builders make; each accepts the forms of RESP2 and RESP3. */
final class Replies {
    private Replies() {
    }

    static Long number(Object data) {
        return data instanceof byte[] bytes ? (Long) Long.parseLong(SafeEncoder.encode(bytes))
                                            : (Long) data;
    }

    static Double toDouble(Object data) {
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

    static Boolean toBoolean(Object data) {
        return data instanceof Long number ? number == 1 : (Boolean) data;
    }

    static Collection<?> collection(Object data) {
        return data == null ? List.of() : (Collection<?>) data;
    }

    static <T> T first(List<? extends T> list) {
        return list.isEmpty() ? null : list.get(0);
    }

    /** Pairs in any form: one flat list, a list of pairs, a map of RESP3. */
    static <K, V> List<KeyValue<K, V>> pairs(Object data, Builder<K> key, Builder<V> value) {
        List<KeyValue<K, V>> pairs = new ArrayList<>();
        K waiting = null;
        boolean isWaiting = false;
        for (Object one : collection(data)) {
            if (isWaiting) {
                pairs.add(new KeyValue<>(waiting, value.build(one)));
                isWaiting = false;
            } else if (one instanceof KeyValue<?, ?> pair) {
                pairs.add(new KeyValue<>(key.build(pair.getKey()), value.build(pair.getValue())));
            } else if (one instanceof List<?> pair) {
                pairs.add(new KeyValue<>(key.build(pair.get(0)), value.build(pair.get(1))));
            } else {
                waiting = key.build(one);
                isWaiting = true;
            }
        }
        return pairs;
    }

    /** The first two elements; a key without a reply is null. */
    static <K, V> KeyValue<K, V> pair(Object data, Builder<K> key, Builder<V> value) {
        if (data == null) {
            return null;
        }
        List<?> list = (List<?>) data;
        return list.get(0) instanceof KeyValue<?, ?> pair
                ? new KeyValue<>(key.build(pair.getKey()), value.build(pair.getValue()))
                : new KeyValue<>(key.build(list.get(0)), value.build(list.get(1)));
    }

    /** What has been asked of several things, by the name of each. */
    static <T> Map<String, T> byName(Object data, Builder<T> builder, Function<T, String> name) {
        Map<String, T> map = new LinkedHashMap<>();
        for (Object one : collection(data)) {
            T made = builder.build(one);
            if (made != null) {
                map.put(name.apply(made), made);
            }
        }
        return map;
    }

    static List<Tuple> tuples(Object data) {
        List<Tuple> tuples = new ArrayList<>();
        pairs(data, BuilderFactory.BINARY, BuilderFactory.DOUBLE)
                .forEach(pair -> tuples.add(new Tuple(pair.getKey(), pair.getValue())));
        return tuples;
    }

    /** Key, member and score; RESP3 of some servers has the last two as a pair. */
    static <K> KeyValue<K, Tuple> keyedTuple(Object data, Builder<K> key) {
        if (data == null) {
            return null;
        }
        List<?> list = (List<?>) data;
        return new KeyValue<>(
                key.build(list.get(0)), first(tuples(list.subList(1, list.size()))));
    }

    static StreamEntry streamEntry(Object data) {
        return data == null
                ? null
                : new StreamEntry(id(data), BuilderFactory.STRING_MAP.build(fields(data)),
                        part(data, 2), part(data, 3));
    }

    static StreamEntryBinary streamEntryBinary(Object data) {
        return data == null
                ? null
                : new StreamEntryBinary(id(data), BuilderFactory.BINARY_MAP.build(fields(data)),
                        part(data, 2), part(data, 3));
    }

    private static StreamEntryID id(Object entry) {
        return BuilderFactory.STREAM_ENTRY_ID.build(((List<?>) entry).get(0));
    }

    private static Object fields(Object entry) {
        return ((List<?>) entry).get(1);
    }

    /** What XREADGROUP with CLAIM adds to an entry; null when it is not there. */
    private static Long part(Object entry, int index) {
        List<?> parts = (List<?>) entry;
        return index < parts.size() ? number(parts.get(index)) : null;
    }

    static GeoCoordinate place(Object data) {
        if (data == null || ((List<?>) data).isEmpty()) {
            return null;
        }
        List<?> pair = (List<?>) data;
        return new GeoCoordinate(toDouble(pair.get(0)), toDouble(pair.get(1)));
    }

    /** A member alone, or with what was asked for, told apart by its type. */
    static GeoRadiusResponse found(Object data) {
        if (data instanceof byte[] member) {
            return new GeoRadiusResponse(member);
        }
        List<?> parts = (List<?>) data;
        GeoRadiusResponse found = new GeoRadiusResponse((byte[]) parts.get(0));
        for (Object part : parts.subList(1, parts.size())) {
            if (part instanceof Long score) {
                found.setRawScore(score);
            } else if (part instanceof List<?>) {
                found.setCoordinate(place(part));
            } else {
                found.setDistance(toDouble(part));
            }
        }
        return found;
    }

    static LCSMatchResult common(Object data) {
        if (data instanceof Long len) {
            return new LCSMatchResult(len);
        }
        if (data instanceof byte[] text) {
            return new LCSMatchResult(SafeEncoder.encode(text));
        }
        Map<String, Object> fields = BuilderFactory.ENCODED_OBJECT_MAP.build(data);
        List<MatchedPosition> matches = new ArrayList<>();
        for (Object match : collection(fields.get("matches"))) {
            List<?> parts = (List<?>) match;
            long length = parts.size() > 2 ? (Long) parts.get(2) : 0;
            matches.add(new MatchedPosition(
                    position(parts.get(0)), position(parts.get(1)), length));
        }
        return new LCSMatchResult(null, matches, (Long) fields.get("len"));
    }

    private static Position position(Object data) {
        List<?> range = (List<?>) data;
        return new Position((Long) range.get(0), (Long) range.get(1));
    }

    /** Redis 7 tells a user's keys as one text, Redis 6 as a list. */
    static String joined(Object data) {
        return data instanceof Collection<?>
                ? String.join(" ", BuilderFactory.STRING_LIST.build(data))
                : BuilderFactory.STRING.build(data);
    }

    static Object pairAsList(Object data) {
        return data instanceof Map.Entry<?, ?> pair
                ? Arrays.asList(pair.getKey(), pair.getValue())
                : data;
    }

    /** Everything of a list as text, whatever it is. */
    static List<String> texts(Object data) {
        List<String> texts = new ArrayList<>();
        collection(data).forEach(one -> texts.add(String.valueOf(SafeEncoder.encodeObject(one))));
        return texts;
    }

    /** The fields of a line of CLIENT LIST. */
    static Map<String, String> clientFields(Object data) {
        Map<String, String> fields = new LinkedHashMap<>();
        for (String word : BuilderFactory.STRING.build(data).trim().split(" ")) {
            int equals = word.indexOf('=');
            if (equals > 0) {
                fields.put(word.substring(0, equals), word.substring(equals + 1));
            }
        }
        return fields;
    }

    static List<List<Long>> slotRanges(Object data) {
        List<List<Long>> ranges = new ArrayList<>();
        List<Long> ends = BuilderFactory.LONG_LIST.build(data);
        for (int i = 0; i + 1 < ends.size(); i += 2) {
            ranges.add(List.of(ends.get(i), ends.get(i + 1)));
        }
        return ranges;
    }

    /** "version: what changed". */
    static List<String> history(Object data) {
        List<String> lines = new ArrayList<>();
        pairs(data, BuilderFactory.STRING, BuilderFactory.STRING)
                .forEach(pair -> lines.add(pair.getKey() + ": " + pair.getValue()));
        return lines;
    }

    static HostAndPort address(Object data) {
        String text = BuilderFactory.STRING.build(data);
        return text == null || text.isEmpty() ? null : HostAndPort.from(text);
    }
}
