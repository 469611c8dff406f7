package io.tendon.jedis.resps;

import io.tendon.jedis.StreamEntryID;
import java.util.Map;

/** An entry of a stream, as bytes; its fields are found by content. */
public class StreamEntryBinary {
    private final StreamEntryID id;
    private final Map<byte[], byte[]> fields;

    public StreamEntryBinary(StreamEntryID id, Map<byte[], byte[]> fields) {
        this.id = id;
        this.fields = fields;
    }

    public StreamEntryID getID() {
        return id;
    }

    /** Null for an entry that was deleted. */
    public Map<byte[], byte[]> getFields() {
        return fields;
    }

    @Override
    public String toString() {
        return id + " with " + (fields == null ? 0 : fields.size()) + " fields";
    }
}
