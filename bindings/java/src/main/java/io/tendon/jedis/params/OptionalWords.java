package io.tendon.jedis.params;

import io.tendon.jedis.CommandArguments;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Collects words, each alone or with a value; a word of one group replaces the other of that
 * group.
 */
abstract class OptionalWords<T extends OptionalWords<T>> implements IParams {
    private record Word(String name, Object value) {
    }

    private final Map<String, Word> words = new LinkedHashMap<>();

    @SuppressWarnings("unchecked")
    final T put(String group, String name, Object value) {
        words.remove(group);
        words.put(group, new Word(name, value));
        return (T) this;
    }

    final T put(String group, String name) {
        return put(group, name, null);
    }

    @Override
    public void addParams(CommandArguments arguments) {
        for (Word word : words.values()) {
            arguments.add(word.name());
            if (word.value() instanceof Long number) {
                arguments.add(number);
            } else if (word.value() instanceof byte[] bytes) {
                arguments.add(bytes);
            }
        }
    }
}
