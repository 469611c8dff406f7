package conformance;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** How the driver waits for what is not there yet. */
final class Waiting {
    /** For what takes milliseconds unless something is broken. */
    static final long PATIENCE_MS = 30_000;

    private Waiting() {
    }

    /** A result as such, or what it was that failed. */
    static Object settled(Object result) {
        try {
            return result instanceof Future<?> future ? outcome(future) : result;
        } catch (Exception failure) {
            return failure;
        }
    }

    /** The result of a future, or what it failed with, without the wrapping. */
    static Object outcome(Future<?> future) throws Exception {
        try {
            return future.get();
        } catch (ExecutionException failed) {
            throw cause(failed);
        }
    }

    /** As outcome; the driver ends when it takes too long. */
    static void patiently(Future<?> future, String what) throws Exception {
        try {
            future.get(PATIENCE_MS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException failed) {
            throw cause(failed);
        } catch (TimeoutException late) {
            throw new Broken(what + " has not come within " + PATIENCE_MS + " ms");
        }
    }

    private static Exception cause(ExecutionException failed) {
        if (failed.getCause() instanceof Error defect) {
            throw defect;
        }
        return (Exception) failed.getCause();
    }
}
