package io.tendon.jedis.params;

import io.tendon.jedis.CommandArguments;
import java.lang.reflect.Array;
import java.util.Arrays;

/**
 * Collects what is sent in numbered slots, which are sent in order. A slot that is filled again
 * forgets what it had, so that options which exclude each other share one.
 */
abstract class OptionalWords implements IParams {
    /** In place of a word that is not sent. */
    static final Object ABSENT = new Object();

    private final Object[][] slots;

    OptionalWords(int count) {
        slots = new Object[count][];
    }

    final void put(int slot, Object... words) {
        slots[slot] = checked(words);
    }

    final void append(int slot, Object... words) {
        Object[] more = checked(words);
        Object[] before = slots[slot] == null ? new Object[0] : slots[slot];
        Object[] both = Arrays.copyOf(before, before.length + more.length);
        System.arraycopy(more, 0, both, before.length, more.length);
        slots[slot] = both;
    }

    private static Object[] checked(Object[] words) {
        for (Object word : words) {
            if (word == null) {
                throw new IllegalArgumentException("null value cannot be sent to redis");
            }
        }
        return words.clone();
    }

    /** Every word with a literal before it. */
    static Object[] each(String literal, Object words) {
        Object[] pairs = new Object[2 * Array.getLength(words)];
        for (int i = 0; i < pairs.length; i += 2) {
            pairs[i] = literal;
            pairs[i + 1] = Array.get(words, i / 2);
        }
        return checked(pairs);
    }

    @Override
    public void addParams(CommandArguments arguments) {
        for (Object[] words : slots) {
            for (int i = 0; words != null && i < words.length; i++) {
                if (words[i] != ABSENT) {
                    arguments.addObject(words[i]);
                }
            }
        }
    }
}
