package io.tendon.jedis.resps;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What a server tells of something, as fields with names. One it does not tell is null or 0. */
public abstract class Answer {
    private final Map<String, Object> fields;

    protected Answer(Map<String, Object> fields) {
        this.fields = fields;
    }

    /** From names and values by turns. */
    protected static Map<String, Object> fields(Object... namesAndValues) {
        Map<String, Object> fields = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            fields.put((String) namesAndValues[i], namesAndValues[i + 1]);
        }
        return fields;
    }

    protected final Map<String, Object> all() {
        return fields;
    }

    @SuppressWarnings("unchecked")
    protected final <T> T get(String name) {
        return (T) fields.get(name);
    }

    /** The words of a text. */
    protected final List<String> words(String name) {
        String text = get(name);
        return text == null || text.isEmpty() ? List.of() : List.of(text.split(" "));
    }

    protected final long number(String name) {
        return fields.get(name) instanceof Long number ? number : 0;
    }

    @Override
    public boolean equals(Object other) {
        return other != null && other.getClass() == getClass()
                && ((Answer) other).fields.equals(fields);
    }

    @Override
    public int hashCode() {
        return fields.hashCode();
    }

    @Override
    public String toString() {
        return getClass().getSimpleName() + fields;
    }
}
