package bench;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/** So many chains of futures, each of which begins its next command when one ends. */
final class Futures {
    private static final int TIMED_EVERY = 16;
    private static final long PAUSE_MILLIS = 10;
    private static final long END_SECONDS = 4;

    private final Tally tally;
    private final Job job;
    private final Client client;
    private final boolean mayFail;
    private final CountDownLatch left;
    /** When the command under way was begun, for each chain; 0 when there is none. */
    private final long[] begun;

    Futures(Tally tally, Client client) {
        this.tally = tally;
        this.client = client;
        job = tally.job;
        mayFail = job.mode.equals("failover");
        left = new CountDownLatch(job.concurrency);
        begun = new long[job.concurrency];
    }

    /** One command of a chain; its future was timed unless began is 0. */
    private record Flight(int chain, int key, boolean write, long began) {}

    void run() throws InterruptedException {
        for (int chain = 0; chain < job.concurrency; chain++) next(chain);
        while (job.phase != Job.OVER) Thread.sleep(10);
        left.await(END_SECONDS, TimeUnit.SECONDS);
        synchronized (tally) {
            for (long began : begun) if (began != 0) lost(began);
        }
    }

    private void lost(long began) {
        long took = System.nanoTime() - began;
        if (mayFail) tally.troubles.note(began - job.began, took, "unanswered");
        else tally.fail("a future did not end");
    }

    private void next(int chain) {
        Flight flight;
        synchronized (tally) {
            if (!tally.running()) {
                left.countDown();
                return;
            }
            int key = tally.nextKey();
            boolean timed = mayFail || key % TIMED_EVERY == 0;
            flight = new Flight(chain, key, tally.writes(), timed ? System.nanoTime() : 0);
            begun[chain] = Math.max(flight.began, 1);
        }
        begin(flight).whenComplete((reply, failure) -> ended(flight, reply, failure));
    }

    private CompletionStage<String> begin(Flight flight) {
        String name = job.names[flight.key];
        try {
            return flight.write ? client.setLater(name, job.value(flight.key))
                    : client.getLater(name);
        } catch (RuntimeException failure) {
            return CompletableFuture.failedFuture(failure);
        }
    }

    private void ended(Flight flight, String reply, Throwable failure) {
        long took = flight.began == 0 ? 0 : System.nanoTime() - flight.began;
        synchronized (tally) {
            begun[flight.chain] = 0;
            if (flight.began != 0) tally.latencies.note(took);
            if (mayFail && tally.counting)
                tally.troubles.note(flight.began - job.began, took,
                        failure == null ? null : Troubles.kind(failure));
            if (failure != null && !mayFail) tally.fail(failure.toString());
            if (failure == null) tally.check(flight.key, flight.write, reply);
        }
        if (failure == null) {
            next(flight.chain);
            return;
        }
        Executor later = CompletableFuture.delayedExecutor(PAUSE_MILLIS, TimeUnit.MILLISECONDS);
        later.execute(() -> next(flight.chain));
    }
}
