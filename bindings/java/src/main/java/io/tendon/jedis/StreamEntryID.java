package io.tendon.jedis;

import io.tendon.jedis.args.Rawable;
import io.tendon.jedis.util.SafeEncoder;
import java.io.Serializable;

/** The id of an entry of a stream: milliseconds since 1970, and a number among equal ones. */
public class StreamEntryID implements Comparable<StreamEntryID>, Rawable, Serializable {
    private static final long serialVersionUID = 1L;

    /** The server makes the id. */
    public static final StreamEntryID NEW_ENTRY = new Special("*");
    public static final StreamEntryID XGROUP_LAST_ENTRY = new Special("$");
    public static final StreamEntryID XREAD_NEW_ENTRY = new Special("$");
    /** The newest entry, which a server of Redis 7.4 or later then returns. */
    public static final StreamEntryID XREAD_LAST_ENTRY = new Special("+");
    public static final StreamEntryID XREADGROUP_UNDELIVERED_ENTRY = new Special(">");
    public static final StreamEntryID MINIMUM_ID = new Special("-");
    public static final StreamEntryID MAXIMUM_ID = new Special("+");

    private final long time;
    private final long sequence;

    /** A word that stands for an id. */
    private static final class Special extends StreamEntryID {
        private static final long serialVersionUID = 1L;
        private final String word;

        Special(String word) {
            this.word = word;
        }

        @Override
        public String toString() {
            return word;
        }
    }

    /** 0-0. */
    public StreamEntryID() {
        this(0, 0);
    }

    public StreamEntryID(long time) {
        this(time, 0);
    }

    public StreamEntryID(long time, long sequence) {
        this.time = time;
        this.sequence = sequence;
    }

    public StreamEntryID(byte[] id) {
        this(SafeEncoder.encode(id));
    }

    /** {@code time-sequence}. */
    public StreamEntryID(String id) {
        String[] parts = id.split("-");
        if (parts.length != 2) {
            throw new IllegalArgumentException(
                    "\"" + id + "\" is not an id such as 1700000000000-0");
        }
        time = Long.parseUnsignedLong(parts[0]);
        sequence = Long.parseUnsignedLong(parts[1]);
    }

    public long getTime() {
        return time;
    }

    public long getSequence() {
        return sequence;
    }

    @Override
    public byte[] getRaw() {
        return SafeEncoder.encode(toString());
    }

    @Override
    public int compareTo(StreamEntryID other) {
        int byTime = Long.compareUnsigned(time, other.time);
        return byTime != 0 ? byTime : Long.compareUnsigned(sequence, other.sequence);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof StreamEntryID id && toString().equals(id.toString());
    }

    @Override
    public int hashCode() {
        return toString().hashCode();
    }

    @Override
    public String toString() {
        return Long.toUnsignedString(time) + "-" + Long.toUnsignedString(sequence);
    }
}
