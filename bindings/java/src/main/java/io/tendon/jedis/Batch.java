package io.tendon.jedis;

import java.util.Arrays;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Outcomes on their way into their futures. One thread fills it; then several may deliver at once,
 * each taking the next, so that one whose callback blocks holds up nobody.
 */
final class Batch {
    private final AtomicInteger next = new AtomicInteger();
    private AsyncCall<?>[] calls = new AsyncCall<?>[64];
    private Object[] outcomes = new Object[64];
    private int count;

    void add(AsyncCall<?> call, Object outcome) {
        if (count == calls.length) {
            calls = Arrays.copyOf(calls, 2 * count);
            outcomes = Arrays.copyOf(outcomes, 2 * count);
        }
        calls[count] = call;
        outcomes[count++] = outcome;
    }

    boolean isEmpty() {
        return count == 0;
    }

    /** To fill it again; only while nobody else delivers. */
    void clear() {
        count = 0;
        next.set(0);
    }

    /** Completes futures until none is left; on {@code executor}, or here when that is null. */
    void deliver(Executor executor) {
        int index;
        while ((index = next.getAndIncrement()) < count) {
            AsyncCall<?> call = calls[index];
            Object outcome = outcomes[index];
            calls[index] = null;
            outcomes[index] = null;
            if (executor == null) {
                settle(call, outcome);
                Thread.interrupted(); /* what a callback left is not the next one's */
            } else {
                dispatch(executor, call, outcome);
            }
        }
    }

    /** Moves all to another batch. */
    void moveTo(Batch other) {
        for (int i = 0; i < count; i++) {
            other.add(calls[i], outcomes[i]);
            calls[i] = null;
            outcomes[i] = null;
        }
        count = 0;
    }

    private static void settle(AsyncCall<?> call, Object outcome) {
        try {
            call.settle(outcome);
        } catch (Throwable thrown) { /* by a callback, where CompletableFuture does not keep it */
            Thread thread = Thread.currentThread();
            call.abort(thrown);
            thread.getUncaughtExceptionHandler().uncaughtException(thread, thrown);
        }
    }

    private static void dispatch(Executor executor, AsyncCall<?> call, Object outcome) {
        try {
            executor.execute(() -> settle(call, outcome));
        } catch (RuntimeException shutDown) {
            settle(call, outcome); /* late callbacks are better than a future that never ends */
        }
    }
}
