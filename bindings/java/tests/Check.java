package io.tendon.jedis.tests;

import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.Callable;

/** What tests assert with. */
final class Check {
    /** An action that may throw anything. */
    interface Action {
        void run() throws Exception;
    }

    private Check() {
    }

    static void equal(Object expected, Object actual) {
        if (!Objects.deepEquals(expected, actual)) {
            throw new AssertionError("expected " + shown(expected) + ", got " + shown(actual));
        }
    }

    private static String shown(Object value) {
        return value instanceof byte[] bytes ? Arrays.toString(bytes) : String.valueOf(value);
    }

    static void that(boolean condition, String what) {
        if (!condition) {
            throw new AssertionError(what);
        }
    }

    static void contains(String text, String part) {
        that(text != null && text.contains(part), "\"" + part + "\" is not in \"" + text + "\"");
    }

    /** The exception of exactly this class that {@code action} throws. */
    static <T extends Throwable> T fails(Class<T> type, Action action) {
        try {
            action.run();
        } catch (Throwable thrown) {
            if (thrown.getClass() != type) {
                throw new AssertionError(
                        "expected " + type.getSimpleName() + ", got " + thrown, thrown);
            }
            return type.cast(thrown);
        }
        throw new AssertionError("expected " + type.getSimpleName() + ", nothing was thrown");
    }

    /** Waits for the end of {@code thread}. */
    static void ends(Thread thread) throws InterruptedException {
        thread.join(PATIENCE.toMillis());
        that(!thread.isAlive(), thread + " hangs");
    }

    /** As fails, within {@code limit}. */
    static <T extends Throwable> T failsWithin(Duration limit, Class<T> type, Action action) {
        long start = System.nanoTime();
        T thrown = fails(type, action);
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        that(took.compareTo(limit) <= 0,
                "took " + took.toMillis() + " ms, limit " + limit.toMillis());
        return thrown;
    }

    /** Whoever takes so long hangs, however busy the machine is. */
    static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Waits until {@code condition} holds, for as long as nobody waits. */
    static void eventually(String what, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.call()) {
            that(System.nanoTime() < end, "never: " + what);
            Thread.sleep(5);
        }
    }
}
