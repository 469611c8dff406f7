package bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** The jobs in which something happens to connections: made and closed, subscribed. */
final class Happenings {
    private static final long DELIVERY_SECONDS = 5;

    private Happenings() {}

    static void connections(Tally tally) throws Exception {
        Job job = tally.job;
        while (tally.running()) {
            if (job.trust != null && !job.yes("resume")) job.trust.forgetSessions();
            long began = System.nanoTime();
            Client client = tally.maker.open(job);
            String reply = client.ping();
            client.close();
            tally.latencies.note(System.nanoTime() - began);
            if (!"PONG".equals(reply)) tally.fail("PING answered " + reply);
            tally.ops++;
        }
    }

    /** Publishes on a client of its own and waits until the subscriber has everything. */
    static void messages(Tally tally, Client subscriber) throws Exception {
        Job job = tally.job;
        Client publisher = tally.maker.open(job);
        Semaphore arrived = new Semaphore(0);
        int[] received = {0};
        subscriber.subscribe("bench", text -> {
            synchronized (received) {
                tally.check(received[0]++ % job.keys, false, text);
                if (received[0] % job.batch == 0) arrived.release();
            }
        });
        List<String> messages = new ArrayList<>(job.batch);
        for (int sent = 0; tally.running(); sent += job.batch) {
            messages.clear();
            for (int at = 0; at < job.batch; at++)
                messages.add(job.value((sent + at) % job.keys));
            long began = System.nanoTime();
            publisher.publish("bench", messages);
            if (!arrived.tryAcquire(DELIVERY_SECONDS, TimeUnit.SECONDS))
                throw new IllegalStateException(
                        "of " + (sent + job.batch) + " messages only " + received[0] + " came");
            tally.latencies.note(System.nanoTime() - began);
        }
    }
}
