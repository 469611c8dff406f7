package conformance;

import io.tendon.jedis.commands.ProtocolCommand;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The operands of an instruction: byte[], Long or Double each. */
record Words(List<Object> values) {
    /** These may wait for longer than the time-out of a command; Jedis wants to be told. */
    private static final Set<String> BLOCKING = Set.of("BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH",
            "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP", "XREAD", "XREADGROUP", "WAIT");

    /** A value as an argument of a command. */
    static byte[] argument(Object value) {
        if (value instanceof byte[] bytes) {
            return bytes;
        }
        if (value instanceof String text) {
            return Frames.bytes(text);
        }
        return Frames.bytes(value instanceof Long ? value.toString() : "other");
    }

    byte[] bytes(int index) {
        Object value = values.get(index);
        return value instanceof Double ? Frames.bytes(value.toString()) : argument(value);
    }

    long integer(int index) {
        return Long.parseLong(Frames.text(bytes(index)));
    }

    double number(int index) {
        return Double.parseDouble(Frames.text(bytes(index)));
    }

    /** All, from one on. */
    byte[][] from(int index) {
        byte[][] rest = new byte[values.size() - index][];
        for (int i = 0; i < rest.length; i++) {
            rest[i] = bytes(index + i);
        }
        return rest;
    }

    /** The first word, for the libraries' sendCommand. */
    ProtocolCommand command() {
        byte[] name = bytes(0);
        return () -> name;
    }

    boolean areBlocking() {
        return BLOCKING.contains(Frames.text(bytes(0)).toUpperCase(Locale.ROOT));
    }
}
