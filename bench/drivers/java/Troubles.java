package bench;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;

/** Failed and slow calls of a failover. Times are nanoseconds. */
final class Troubles {
    private static final long SLOW = 100_000_000;

    private final Map<String, Integer> kinds = new TreeMap<>();
    private long failed;
    private long slow;
    private long slowest;
    private long first = Long.MAX_VALUE;
    private long last = -1;

    /** Began: after the clock; kind: null unless the call failed. */
    void note(long began, long took, String kind) {
        slowest = Math.max(slowest, took);
        if (kind == null && took <= SLOW) return;
        if (took > SLOW) slow++;
        if (kind != null) {
            failed++;
            kinds.merge(kind, 1, Integer::sum);
        }
        first = Math.min(first, began);
        last = Math.max(last, began + took);
    }

    void add(Troubles other) {
        failed += other.failed;
        slow += other.slow;
        slowest = Math.max(slowest, other.slowest);
        first = Math.min(first, other.first);
        last = Math.max(last, other.last);
        other.kinds.forEach((kind, count) -> kinds.merge(kind, count, Integer::sum));
    }

    /** The first word of a server's error; of others the class. */
    static String kind(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof CompletionException || cause instanceof ExecutionException)
                && cause.getCause() != null)
            cause = cause.getCause();
        String word = String.valueOf(cause.getMessage()).split("[ :]", 2)[0];
        return word.matches("[A-Z]{3,}") ? word : cause.getClass().getSimpleName();
    }

    private static String millis(long nanos) {
        return String.format("%.3f", nanos / 1e6);
    }

    String json() {
        String counts = kinds.entrySet().stream()
                .map(each -> Job.quoted(each.getKey()) + ": " + each.getValue())
                .collect(Collectors.joining(", "));
        return String.format("\"failed\": %d, \"slow\": %d, \"slowest_ms\": %s, "
                + "\"first_trouble_ms\": %s, \"last_trouble_ms\": %s, \"kinds\": {%s}",
                failed, slow, millis(slowest), last < 0 ? "null" : millis(first),
                last < 0 ? "null" : millis(last), counts);
    }
}
