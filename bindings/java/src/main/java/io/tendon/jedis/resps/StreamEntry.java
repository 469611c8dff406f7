package io.tendon.jedis.resps;

import io.tendon.jedis.StreamEntryID;
import java.util.Map;

/** An entry of a stream. */
public class StreamEntry {
    private final StreamEntryID id;
    private final Map<String, String> fields;

    public StreamEntry(StreamEntryID id, Map<String, String> fields) {
        this.id = id;
        this.fields = fields;
    }

    public StreamEntryID getID() {
        return id;
    }

    /** Null for an entry that was deleted. */
    public Map<String, String> getFields() {
        return fields;
    }

    @Override
    public String toString() {
        return id + " " + fields;
    }
}
