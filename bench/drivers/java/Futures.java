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

    Futures(Tally tally, Client client) {
        this.tally = tally;
        this.client = client;
        job = tally.job;
        mayFail = job.mode.equals("failover");
        left = new CountDownLatch(job.concurrency);
    }

    /** One command; its future was timed unless began is 0. */
    private record Flight(int key, boolean write, long began) {}

    void run() throws InterruptedException {
        for (int chain = 0; chain < job.concurrency; chain++) next();
        while (job.phase != Job.OVER) Thread.sleep(10);
        left.await(END_SECONDS, TimeUnit.SECONDS);
        synchronized (tally) {
            for (long lost = left.getCount(); lost > 0; lost--) lost();
        }
    }

    private void lost() {
        long now = System.nanoTime();
        long took = TimeUnit.SECONDS.toNanos(END_SECONDS);
        if (mayFail) tally.troubles.note(now - took - job.began, took, "unanswered");
        else tally.fail("a future did not end");
    }

    private void next() {
        Flight flight;
        synchronized (tally) {
            if (!tally.running()) {
                left.countDown();
                return;
            }
            int key = tally.nextKey();
            boolean timed = mayFail || key % TIMED_EVERY == 0;
            flight = new Flight(key, tally.writes(), timed ? System.nanoTime() : 0);
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
            if (flight.began != 0) tally.latencies.note(took);
            if (mayFail && tally.counting)
                tally.troubles.note(flight.began - job.began, took,
                        failure == null ? null : Troubles.kind(failure));
            if (failure != null && !mayFail) tally.fail(failure.toString());
            if (failure == null) tally.check(flight.key, flight.write, reply);
        }
        if (failure == null) {
            next();
            return;
        }
        Executor later = CompletableFuture.delayedExecutor(PAUSE_MILLIS, TimeUnit.MILLISECONDS);
        later.execute(this::next);
    }
}
