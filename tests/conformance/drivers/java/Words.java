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
        return value instanceof Double number ? Frames.bytes(Frames.text(number)) : argument(value);
    }

    long integer(int index) {
        return Long.parseLong(Frames.text(bytes(index)));
    }

    double number(int index) {
        return Frames.number(Frames.text(bytes(index)));
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
        return BLOCKING.contains(name());
    }

    private String name() {
        return Frames.text(bytes(0)).toUpperCase(Locale.ROOT);
    }

    /** The place of the first key; 0 when there is none. */
    int keyPlace() {
        int place = switch (name()) {
            case "CLIENT", "CLUSTER", "CONFIG", "ECHO", "FLUSHALL", "FLUSHDB", "FUNCTION", "INFO",
                    "KEYS", "PING", "SCAN", "SCRIPT", "WAIT" -> 0;
            case "BITOP", "MEMORY", "OBJECT", "XGROUP", "XINFO" -> 2;
            case "EVAL", "EVALSHA", "FCALL" -> values.size() > 2 && integer(2) > 0 ? 3 : 0;
            case "BLMPOP", "BZMPOP" -> 3;
            case "LMPOP", "ZMPOP" -> 2;
            case "XREAD", "XREADGROUP" -> streamPlace();
            default -> 1;
        };
        return place < values.size() ? place : 0;
    }

    private int streamPlace() {
        int place = 0;
        while (place < values.size() && !Frames.text(bytes(place)).equalsIgnoreCase("STREAMS")) {
            place++;
        }
        return place + 1;
    }
}
