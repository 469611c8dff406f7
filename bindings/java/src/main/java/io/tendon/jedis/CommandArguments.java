package io.tendon.jedis;

import io.tendon.jedis.args.Rawable;
import io.tendon.jedis.commands.ProtocolCommand;
import io.tendon.jedis.params.IParams;
import io.tendon.jedis.util.JedisClusterCRC16;
import io.tendon.jedis.util.SafeEncoder;
import java.lang.reflect.Array;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Collection;
import java.util.Map;
import java.util.Objects;

/**
 * One command: its name and its arguments as bytes. As in Jedis, a null text or element is an
 * IllegalArgumentException; a null key, word, byte array or collection a NullPointerException.
 */
public final class CommandArguments {
    private static final byte[] TRUE = {'1'};
    private static final byte[] FALSE = {'0'};
    private static final String NO_KEY = "null key cannot be sent to redis";
    static final int NO_SLOT = -1;
    /** TENDON_JNI_ROUTE_SLOT of src/main/native/jni_frame.h: the slot is in the upper half. */
    private static final int ROUTE_SLOT = 1 << 15;
    private static final int ROUTE_SLOT_SHIFT = 16;

    private byte[][] words = new byte[4][];
    private int count;
    private long bytes;
    private boolean frozen;
    private int slot = NO_SLOT;
    private byte[] routeKey;
    /** Which of the first 64 words are keys, and which of those after them. */
    private long keys;
    private BitSet moreKeys;

    public CommandArguments(ProtocolCommand command) {
        add(command.getRaw());
    }

    public CommandArguments add(byte[] word) {
        if (frozen) {
            throw new IllegalStateException(
                    "These arguments have been handed over already; make new ones");
        }
        if (count == words.length) {
            words = Arrays.copyOf(words, 2 * count);
        }
        bytes += word.length;
        words[count++] = word;
        return this;
    }

    /** Adds a key, which a CommandKeyArgumentPreProcessor may change. */
    public CommandArguments key(String key) {
        return key(SafeEncoder.encode(Objects.requireNonNull(key, NO_KEY)));
    }

    /** As key(String). */
    public CommandArguments key(byte[] key) {
        if (count < Long.SIZE) {
            keys |= 1L << count;
        } else {
            moreKeys = moreKeys == null ? new BitSet() : moreKeys;
            moreKeys.set(count);
        }
        return add(key);
    }

    /** Adds texts and byte arrays as keys. */
    public CommandArguments keys(Object[] more) {
        return keysAndArguments(more.length, more);
    }

    /** Adds texts and byte arrays as keys. */
    public CommandArguments keys(Collection<?> more) {
        return keys(more.toArray());
    }

    private CommandArguments keyObject(Object key) {
        return key instanceof byte[] raw ? key(raw) : key((String) key);
    }

    /** Adds keys, each followed by its value. */
    public CommandArguments keysAndValues(Object[] keysvalues) {
        for (int i = 0; i < keysvalues.length; i++) {
            keyIf(i % 2 == 0, keysvalues[i]);
        }
        return this;
    }

    /** Adds {@code keyCount} keys and then other words. */
    public CommandArguments keysAndArguments(int keyCount, Object[] words) {
        for (int i = 0; i < words.length; i++) {
            keyIf(i < keyCount, words[i]);
        }
        return this;
    }

    private void keyIf(boolean isKey, Object word) {
        if (isKey) {
            keyObject(word);
        } else {
            addObject(word);
        }
    }

    private boolean isKey(int index) {
        return index < Long.SIZE ? (keys >>> index & 1) != 0
                                 : moreKeys != null && moreKeys.get(index);
    }

    /** Replaces all keys; null does nothing. */
    CommandArguments process(CommandKeyArgumentPreProcessor processor) {
        if (processor == null) {
            return this;
        }
        for (int i = 0; i < count; i++) {
            if (isKey(i)) {
                bytes -= words[i].length;
                words[i] = processed(processor, words[i]);
                bytes += words[i].length;
            }
        }
        return routeKey == null ? this : route(processed(processor, routeKey));
    }

    private static byte[] processed(CommandKeyArgumentPreProcessor processor, byte[] key) {
        Object made = processor.actualKey(key);
        if (made instanceof Rawable rawable) {
            return rawable.getRaw();
        }
        return made instanceof byte[] raw ? raw : SafeEncoder.encode((String) made);
    }

    public CommandArguments add(String word) {
        return add(SafeEncoder.encode(word));
    }

    public CommandArguments add(long number) {
        return add(Long.toString(number));
    }

    public CommandArguments add(boolean flag) {
        return add(flag ? TRUE : FALSE);
    }

    /** As the server writes it: infinity is "+inf" or "-inf". */
    public CommandArguments add(double number) {
        return add(text(number));
    }

    public static String text(double number) {
        if (Double.isInfinite(number)) {
            return number > 0 ? "+inf" : "-inf";
        }
        return Double.toString(number);
    }

    public CommandArguments add(Rawable word) {
        return add(word.getRaw());
    }

    /** Adds {@code word} when {@code wanted}. */
    public CommandArguments addIf(boolean wanted, String word) {
        return wanted ? add(word) : this;
    }

    /** Adds every one, as addObject. */
    public CommandArguments addAll(Object[] more) {
        for (Object word : more) {
            addObject(word);
        }
        return this;
    }

    /** Adds every number. */
    public CommandArguments addAll(int... more) {
        return addElements(Objects.requireNonNull(more));
    }

    /** Adds every number. */
    public CommandArguments addAll(long... more) {
        return addElements(Objects.requireNonNull(more));
    }

    /** Adds every one, as addObject. */
    public CommandArguments addAll(Collection<?> more) {
        more.forEach(this::addObject);
        return this;
    }

    /** As addAll. */
    public CommandArguments addObjects(Object... more) {
        return addAll(more);
    }

    /** Adds a whole command. */
    public CommandArguments addAll(CommandArguments command) {
        for (int i = 0; i < command.size(); i++) {
            add(command.word(i));
        }
        return this;
    }

    /** Adds key and value of every entry. */
    public CommandArguments addPairs(Map<?, ?> pairs) {
        pairs.forEach((key, value) -> addObject(key).addObject(value));
        return this;
    }

    /** Adds score and member of every entry. */
    public CommandArguments addScores(Map<?, Double> scores) {
        scores.forEach((member, score) -> add(score.doubleValue()).addObject(member));
        return this;
    }

    public CommandArguments addParams(IParams params) {
        params.addParams(this);
        return this;
    }

    /** Adds keys, then in the same order the values. */
    public CommandArguments addStreams(Map<?, StreamEntryID> streams) {
        streams.keySet().forEach(this::keyObject);
        streams.values().forEach(this::add);
        return this;
    }

    /** As addStreams(Map). */
    @SafeVarargs
    public final CommandArguments addStreams(Map.Entry<byte[], byte[]>... streams) {
        for (Map.Entry<byte[], byte[]> stream : streams) {
            key(stream.getKey());
        }
        for (Map.Entry<byte[], byte[]> stream : streams) {
            add(stream.getValue());
        }
        return this;
    }

    /** Adds longitude, latitude and member of every entry. */
    public CommandArguments addPlaces(Map<?, GeoCoordinate> places) {
        places.forEach((member, place) -> add(place).addObject(member));
        return this;
    }

    /** Adds longitude and latitude. */
    public CommandArguments add(GeoCoordinate place) {
        return add(place.getLongitude()).add(place.getLatitude());
    }

    /** Adds {@code word}, or {@code otherwise} when that is null. */
    public CommandArguments addOr(Rawable word, String otherwise) {
        return word == null ? add(otherwise) : add(word);
    }

    /** Adds {@code word}, or {@code otherwise} when that is null. */
    public CommandArguments addOr(byte[] word, String otherwise) {
        return word == null ? add(otherwise) : add(word);
    }

    /** Adds a text, byte array, number, flag, word or place, or an array of them. */
    public CommandArguments addObject(Object word) {
        if (word instanceof String text) {
            return add(text);
        }
        if (word instanceof byte[] raw) {
            return add(raw);
        }
        if (word instanceof Number number) {
            return number instanceof Double || number instanceof Float ? add(number.doubleValue())
                                                                       : add(number.longValue());
        }
        if (word instanceof Rawable rawable) {
            return add(rawable);
        }
        if (word instanceof GeoCoordinate place) {
            return add(place);
        }
        return word instanceof Boolean flag ? add(flag.booleanValue()) : addElements(word);
    }

    private CommandArguments addElements(Object array) {
        if (array == null || !array.getClass().isArray()) {
            throw new IllegalArgumentException(array == null
                    ? "null value cannot be sent to redis"
                    : array.getClass().getName() + " cannot be sent to redis");
        }
        for (int i = 0; i < Array.getLength(array); i++) {
            addObject(Array.get(array, i));
        }
        return this;
    }

    /** The command goes to the server that has this key, whatever its arguments are. */
    public CommandArguments route(String key) {
        return route(SafeEncoder.encode(Objects.requireNonNull(key, NO_KEY)));
    }

    /** As route(String). */
    public CommandArguments route(byte[] key) {
        routeKey = key;
        return routeToSlot(JedisClusterCRC16.getSlot(key));
    }

    /** NO_SLOT: by its keys. */
    CommandArguments routeToSlot(int wanted) {
        slot = wanted;
        return this;
    }

    /** For a command that is sent later: nothing may be added any more. */
    CommandArguments freeze() {
        frozen = true;
        return this;
    }

    /** Number of words, the name included. */
    public int size() {
        return count;
    }

    /** Bytes of all words together. */
    long bytes() {
        return bytes;
    }

    /** Flags of include/tendon/request.h and of jni_frame.h that say where it goes. */
    int routeFlags() {
        return slot == NO_SLOT ? 0 : ROUTE_SLOT | slot << ROUTE_SLOT_SHIFT;
    }

    byte[] word(int index) {
        return words[index];
    }

    /** The name and the number of words; never the arguments, which may be secret. */
    @Override
    public String toString() {
        return SafeEncoder.encode(words[0]) + " with " + (count - 1) + " arguments";
    }
}
