package io.tendon.jedis.args;

import io.tendon.jedis.CommandArguments;
import io.tendon.jedis.util.SafeEncoder;

/** Anything that can be sent, as a Rawable. */
public final class RawableFactory {
    private RawableFactory() {
    }

    public static Rawable from(boolean flag) {
        return from(flag ? "1" : "0");
    }

    public static Rawable from(int number) {
        return from(Integer.toString(number));
    }

    public static Rawable from(long number) {
        return from(Long.toString(number));
    }

    /** As the server writes it: infinity is "+inf" or "-inf". */
    public static Rawable from(double number) {
        return from(CommandArguments.text(number));
    }

    public static Rawable from(byte[] bytes) {
        return () -> bytes;
    }

    public static Rawable from(String text) {
        return from(SafeEncoder.encode(text));
    }
}
