package io.tendon.jedis;

import io.tendon.jedis.resps.CommandInfo;
import io.tendon.jedis.resps.GeoRadiusResponse;
import io.tendon.jedis.resps.LCSMatchResult;
import io.tendon.jedis.resps.LatencyLatestInfo;
import io.tendon.jedis.resps.ScanResult;
import io.tendon.jedis.resps.StreamEntry;
import io.tendon.jedis.resps.StreamEntryBinary;
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
            return Replies.number(data);
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
    public static final Builder<Long> INTEGER = LONG;
    public static final Builder<Double> DOUBLE = of(Replies::toDouble);
    public static final Builder<Boolean> BOOLEAN = of(Replies::toBoolean);
    public static final Builder<Boolean> FIRST_BOOLEAN =
            of(data -> Replies.toBoolean(((List<?>) data).get(0)));
    public static final Builder<Object> RAW_OBJECT = of(data -> data);
    public static final Builder<Object> ENCODED_OBJECT = of(SafeEncoder::encodeObject);
    public static final Builder<List<Object>> RAW_OBJECT_LIST = listOf(RAW_OBJECT);
    public static final Builder<List<Object>> ENCODED_OBJECT_LIST = listOf(ENCODED_OBJECT);
    public static final Builder<List<String>> STRING_LIST = listOf(STRING);
    public static final Builder<List<byte[]>> BINARY_LIST = listOf(BINARY);
    public static final Builder<List<Long>> LONG_LIST = listOf(LONG);
    public static final Builder<List<Boolean>> BOOLEAN_LIST = listOf(BOOLEAN);
    public static final Builder<List<Double>> DOUBLE_LIST = listOf(DOUBLE);
    public static final Builder<Set<String>> STRING_SET = setOf(STRING);
    public static final Builder<Set<byte[]>> BINARY_SET = setOf(BINARY);
    public static final Builder<Map<String, String>> STRING_MAP = mapOf(STRING, STRING);
    /** Finds its keys by content, not by identity. */
    public static final Builder<Map<byte[], byte[]>> BINARY_MAP = mapOf(BINARY, BINARY);
    public static final Builder<Map<String, Object>> ENCODED_OBJECT_MAP =
            mapOf(STRING, ENCODED_OBJECT);
    public static final Builder<List<Tuple>> TUPLE_LIST = of(Replies::tuples);
    public static final Builder<Tuple> TUPLE = of(data -> Replies.first(Replies.tuples(data)));
    public static final Builder<KeyValue<String, Tuple>> KEYED_TUPLE =
            of(data -> Replies.keyedTuple(data, STRING));
    public static final Builder<KeyValue<byte[], Tuple>> BINARY_KEYED_TUPLE =
            of(data -> Replies.keyedTuple(data, BINARY));
    public static final Builder<StreamEntryID> STREAM_ENTRY_ID =
            of(data -> data == null ? null : new StreamEntryID(STRING.build(data)));
    public static final Builder<StreamEntry> STREAM_ENTRY = of(Replies::streamEntry);
    public static final Builder<StreamEntryBinary> STREAM_ENTRY_BINARY =
            of(Replies::streamEntryBinary);
    public static final Builder<List<StreamEntry>> STREAM_ENTRY_LIST = listOf(STREAM_ENTRY);
    /** The streams of XREAD as Jedis has them for bytes: lists of name and entries. */
    public static final Builder<List<Object>> STREAM_LISTS = listOf(of(Replies::pairAsList));
    public static final Builder<GeoCoordinate> GEO_COORDINATE = of(Replies::place);
    public static final Builder<GeoRadiusResponse> GEO_RADIUS_RESPONSE = of(Replies::found);
    public static final Builder<LCSMatchResult> LCS_MATCH_RESULT = of(Replies::common);

    /* Parts of answers, see spec/surface/java-types.txt. */
    static final Builder<Map<String, Long>> COUNTS_OF_TEXT = mapOf(STRING, LONG);
    static final Builder<String> JOINED = of(Replies::joined);
    static final Builder<List<String>> TEXTS = of(Replies::texts);
    static final Builder<Map<String, String>> CLIENT_FIELDS = of(Replies::clientFields);
    static final Builder<List<List<Long>>> SLOT_RANGES = of(Replies::slotRanges);
    static final Builder<List<String>> HISTORY = of(Replies::history);
    static final Builder<HostAndPort> ADDRESS = of(Replies::address);

    /** The facts of commands by name. */
    public static final Builder<Map<String, CommandInfo>> COMMAND_INFO =
            of(data -> Replies.byName(data, Results.COMMAND_INFO, CommandInfo::getName));
    /** The latest latencies by event. */
    public static final Builder<Map<String, LatencyLatestInfo>> LATENCY_LATEST =
            of(data -> Replies.byName(
                    data, Results.LATENCY_LATEST_INFO, LatencyLatestInfo::getCommand));

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

    static <T> Builder<List<T>> listOf(Builder<T> element) {
        return of(data -> {
            if (data == null) {
                return null;
            }
            List<T> list = new ArrayList<>(((Collection<?>) data).size());
            ((Collection<?>) data).forEach(one -> list.add(element.build(one)));
            return list;
        });
    }

    static <T> Builder<Set<T>> setOf(Builder<T> element) {
        return of(data -> {
            Set<T> set = new LinkedHashSet<>();
            Replies.collection(data).forEach(one -> set.add(element.build(one)));
            return set;
        });
    }

    static <K, V> Builder<List<Map.Entry<K, V>>> entriesOf(Builder<K> key, Builder<V> value) {
        return of(data -> data == null ? null : new ArrayList<>(Replies.pairs(data, key, value)));
    }

    static <K, V> Builder<List<KeyValue<K, V>>> keyValuesOf(Builder<K> key, Builder<V> value) {
        return of(data -> data == null ? null : Replies.pairs(data, key, value));
    }

    static <K, V> Builder<KeyValue<K, V>> keyValueOf(Builder<K> key, Builder<V> value) {
        return of(data -> Replies.pair(data, key, value));
    }

    static <K, V> Builder<Map.Entry<K, V>> entryOf(Builder<K> key, Builder<V> value) {
        return of(data -> Replies.pair(data, key, value));
    }

    /** A map with byte[] as keys finds them by content. */
    static <K, V> Builder<Map<K, V>> mapOf(Builder<K> key, Builder<V> value) {
        return of(data -> {
            if (data == null) {
                return null;
            }
            Map<K, V> map = key == (Builder<?>) BINARY
                    ? new TreeMap<>((one, other) -> Arrays.compare((byte[]) one, (byte[]) other))
                    : new LinkedHashMap<>();
            Replies.pairs(data, key, value)
                    .forEach(pair -> map.put(pair.getKey(), pair.getValue()));
            return map;
        });
    }

    static <T> Builder<ScanResult<T>> scanOf(Builder<T> element) {
        Builder<List<T>> elements = element == (Builder<?>) TUPLE ? tupleList() : listOf(element);
        return of(data -> {
            List<?> pair = (List<?>) data;
            return new ScanResult<>((byte[]) pair.get(0), elements.build(pair.get(1)));
        });
    }

    /** Of members and scores that follow each other. */
    @SuppressWarnings("unchecked")
    private static <T> Builder<List<T>> tupleList() {
        return (Builder<List<T>>) (Builder<?>) TUPLE_LIST;
    }

    static <K, V> Builder<ScanResult<Map.Entry<K, V>>> scanEntriesOf(
            Builder<K> key, Builder<V> value) {
        Builder<List<Map.Entry<K, V>>> entries = entriesOf(key, value);
        return of(data -> {
            List<?> pair = (List<?>) data;
            return new ScanResult<>((byte[]) pair.get(0), entries.build(pair.get(1)));
        });
    }

    /** An answer of a map's fields; for those without a name here ENCODED_OBJECT does it. */
    static <T> Builder<T> mapped(
            Function<Map<String, Object>, T> make, String[] names, Builder<?>... builders) {
        return of(data -> {
            if (data == null) {
                return null;
            }
            Map<String, Object> fields = new LinkedHashMap<>();
            Replies.pairs(data, STRING, RAW_OBJECT).forEach(pair -> {
                int at = Arrays.asList(names).indexOf(pair.getKey());
                Builder<?> builder = at < 0 ? ENCODED_OBJECT : builders[at];
                fields.put(pair.getKey(), builder.build(pair.getValue()));
            });
            return make.apply(fields);
        });
    }

    /** An answer of a list's elements, which get these names. */
    static <T> Builder<T> listed(
            Function<Map<String, Object>, T> make, String[] names, Builder<?>... builders) {
        return of(data -> {
            if (data == null) {
                return null;
            }
            List<?> list = (List<?>) data;
            Map<String, Object> fields = new LinkedHashMap<>();
            for (int i = 0; i < names.length && i < list.size(); i++) {
                fields.put(names[i], builders[i].build(list.get(i)));
            }
            return make.apply(fields);
        });
    }
}
