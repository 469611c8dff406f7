package conformance;

import io.tendon.jedis.exceptions.JedisDataException;
import io.tendon.jedis.resps.Tuple;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Frames and tokens of ../../PROTOCOL.md. */
final class Frames {
    /** Bytes as text and back: one character for each. */
    static final Charset BYTES = StandardCharsets.ISO_8859_1;

    private Frames() {
    }

    /** The next frame. */
    static List<byte[]> read(InputStream in) throws IOException {
        int count = number(in);
        List<byte[]> words = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            byte[] word = in.readNBytes(number(in));
            if (in.read() != '\n') {
                throw new Broken("a word does not end where it should");
            }
            words.add(word);
        }
        return words;
    }

    private static int number(InputStream in) throws IOException {
        int value = 0;
        int next = in.read();
        if (next < 0) {
            throw new EOFException("the harness has gone without quit");
        }
        for (; next != '\n'; next = in.read()) {
            if (next < '0' || next > '9') {
                throw new Broken("a number was expected, not byte " + next);
            }
            value = Math.addExact(Math.multiplyExact(value, 10), next - '0');
        }
        return value;
    }

    static byte[] frame(List<byte[]> words) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(64);
        out.writeBytes(bytes(words.size() + "\n"));
        for (byte[] word : words) {
            out.writeBytes(bytes(word.length + "\n"));
            out.writeBytes(word);
            out.write('\n');
        }
        return out.toByteArray();
    }

    /** The frame that reports what instruction {@code index} of a thread pushed. */
    static byte[] result(int thread, int index, Object value) {
        List<byte[]> words = new ArrayList<>(4);
        words.add(bytes("result"));
        words.add(bytes("" + thread));
        words.add(bytes("" + index));
        addTokens(words, value);
        return frame(words);
    }

    private static void addTokens(List<byte[]> words, Object value) {
        if (value == null) {
            words.add(bytes("_"));
        } else if (value instanceof Boolean truth) {
            words.add(bytes(truth ? "T" : "F"));
        } else if (value instanceof Long || value instanceof Integer) {
            words.add(bytes(":" + value));
        } else if (value instanceof Double number) {
            words.add(bytes("," + text(number)));
        } else if (value instanceof byte[] || value instanceof String) {
            words.add(string(value));
        } else if (value instanceof Tuple tuple) {
            words.add(bytes("*2"));
            addTokens(words, tuple.getBinaryElement());
            addTokens(words, tuple.getScore());
        } else if (value instanceof Throwable error) {
            addError(words, error);
        } else {
            addContainer(words, value);
        }
    }

    private static void addContainer(List<byte[]> words, Object value) {
        if (value instanceof Map<?, ?> map) {
            words.add(bytes("%" + map.size()));
            map.forEach((key, element) -> {
                addTokens(words, key);
                addTokens(words, element);
            });
        } else if (value instanceof Map.Entry<?, ?> pair) { /* what RESP3's maps are lists of */
            words.add(bytes("*2"));
            addTokens(words, pair.getKey());
            addTokens(words, pair.getValue());
        } else if (value instanceof Collection<?> elements) {
            words.add(bytes((value instanceof Set ? "~" : "*") + elements.size()));
            elements.forEach(element -> addTokens(words, element));
        } else {
            words.add(bytes("?" + value.getClass().getSimpleName()));
        }
    }

    private static byte[] string(Object value) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        out.write('$');
        out.writeBytes(value instanceof String text ? bytes(text) : (byte[]) value);
        return out.toByteArray();
    }

    static double number(String text) {
        return switch (text) {
            case "inf" -> Double.POSITIVE_INFINITY;
            case "-inf" -> Double.NEGATIVE_INFINITY;
            case "nan" -> Double.NaN;
            default -> Double.parseDouble(text);
        };
    }

    static String text(double number) {
        if (Double.isInfinite(number)) {
            return number > 0 ? "inf" : "-inf";
        }
        return Double.isNaN(number) ? "nan" : Double.toString(number);
    }

    private static void addError(List<byte[]> words, Throwable error) {
        String message = error.getMessage() == null ? "" : error.getMessage();
        words.add(bytes("!"));
        words.add(bytes(error.getClass().getSimpleName()));
        words.add(bytes(code(error, message)));
        words.add(bytes(detail(error, "executed").toLowerCase()));
        words.add(bytes(message));
    }

    private static String code(Throwable error, String message) {
        String prefix = detail(error, "prefix");
        String first = message.split(" ", 2)[0];
        boolean replied = error instanceof JedisDataException && first.matches("[A-Z][A-Z0-9]*");
        return prefix.isEmpty() && replied ? first : prefix;
    }

    /** What an error says about itself where its library has a method for that, else "". */
    private static String detail(Throwable error, String method) {
        try {
            return String.valueOf(error.getClass().getMethod(method).invoke(error));
        } catch (ReflectiveOperationException none) {
            return "";
        }
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] word) {
        return new String(word, StandardCharsets.UTF_8);
    }
}
