package io.tendon.jedis;

import io.tendon.jedis.args.Rawable;
import io.tendon.jedis.commands.ProtocolCommand;
import io.tendon.jedis.params.IParams;
import io.tendon.jedis.util.SafeEncoder;
import java.util.Arrays;
import java.util.Collection;
import java.util.Map;

/** One command: its name and its arguments as bytes. */
public final class CommandArguments {
    private static final byte[] TRUE = {'1'};
    private static final byte[] FALSE = {'0'};

    private byte[][] words = new byte[4][];
    private int count;
    private long bytes;
    private boolean frozen;

    public CommandArguments(ProtocolCommand command) {
        if (command == null) {
            throw new IllegalArgumentException("null command cannot be sent to redis");
        }
        add(command.getRaw());
    }

    public CommandArguments add(byte[] word) {
        if (word == null) {
            throw new IllegalArgumentException("null value cannot be sent to redis");
        }
        if (frozen) {
            throw new IllegalStateException(
                    "These arguments have been handed over already; make new ones");
        }
        if (count == words.length) {
            words = Arrays.copyOf(words, 2 * count);
        }
        words[count++] = word;
        bytes += word.length;
        return this;
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
        if (Double.isInfinite(number)) {
            return add(number > 0 ? "+inf" : "-inf");
        }
        return add(Double.toString(number));
    }

    public CommandArguments add(Rawable word) {
        if (word == null) {
            throw new IllegalArgumentException("null value cannot be sent to redis");
        }
        return add(word.getRaw());
    }

    /** Adds {@code word} when {@code wanted}. */
    public CommandArguments addIf(boolean wanted, String word) {
        return wanted ? add(word) : this;
    }

    public CommandArguments addAll(String... more) {
        for (String word : more) {
            add(word);
        }
        return this;
    }

    public CommandArguments addAll(byte[]... more) {
        for (byte[] word : more) {
            add(word);
        }
        return this;
    }

    /** Adds texts and byte arrays. */
    public CommandArguments addAll(Collection<?> more) {
        more.forEach(this::addObject);
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

    private CommandArguments addObject(Object word) {
        return word instanceof byte[] raw ? add(raw) : add((String) word);
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

    byte[] word(int index) {
        return words[index];
    }

    /** The name and the number of words; never the arguments, which may be secret. */
    @Override
    public String toString() {
        return SafeEncoder.encode(words[0]) + " with " + (count - 1) + " arguments";
    }
}
