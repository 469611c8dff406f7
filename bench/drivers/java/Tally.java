package bench;

import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;

/** What one thread has done since the warm-up; with futures, the one that completes them. */
final class Tally {
    private static final int CONTENT_EVERY = 1000;
    private static final int TIMED_EVERY = 16;

    private final Job job;
    private int turn;
    private boolean counting;
    long ops;
    long errors;
    String complaint = "";
    Latencies latencies = new Latencies();

    Tally(Job job, int turn) {
        this.job = job;
        this.turn = turn;
    }

    private boolean running() {
        int phase = job.phase;
        if (phase == Job.MEASURING && !counting) {
            counting = true;
            ops = 0;
            latencies = new Latencies();
        }
        return phase != Job.OVER;
    }

    private int nextKey() {
        turn++;
        return turn % job.keys;
    }

    private boolean writes() {
        return job.op.equals("set") || (job.op.equals("mixed") && turn % 5 == 0);
    }

    private void check(int key, boolean write, String reply) {
        ops++;
        if (write && !"OK".equals(reply)) fail("SET did not answer OK");
        else if (!write && (reply == null || reply.length() != job.size))
            fail("a value has the wrong length");
        else if (!write && ops % CONTENT_EVERY == 1 && !reply.equals(job.value(key)))
            fail("a value has the wrong content");
    }

    private void fail(String text) {
        errors++;
        if (complaint.isEmpty()) complaint = text;
    }

    void work(Job.Client client) {
        switch (job.mode) {
            case "async" -> inFlight(client);
            case "batch", "mget" -> together(client);
            default -> oneAtATime(client);
        }
    }

    private void oneAtATime(Job.Client client) {
        while (running()) {
            int key = nextKey();
            boolean write = writes();
            long began = System.nanoTime();
            String reply = write ? client.set(job.names[key], job.value(key))
                    : client.get(job.names[key]);
            latencies.note(System.nanoTime() - began);
            check(key, write, reply);
        }
    }

    private void together(Job.Client client) {
        int[] keys = new int[job.batch];
        String[] names = new String[job.batch];
        while (running()) {
            for (int at = 0; at < keys.length; at++) {
                keys[at] = nextKey();
                names[at] = job.names[keys[at]];
            }
            boolean write = job.mode.equals("batch") && writes();
            String[] values = write ? new String[keys.length] : null;
            for (int at = 0; write && at < keys.length; at++) values[at] = job.value(keys[at]);
            long began = System.nanoTime();
            List<String> replies = job.mode.equals("mget") ? client.mget(names)
                    : client.pipeline(names, values);
            latencies.note(System.nanoTime() - began);
            for (int at = 0; at < keys.length; at++) check(keys[at], write, replies.get(at));
        }
    }

    /** So many chains of futures, each of which begins its next command when one ends. */
    private void inFlight(Job.Client client) {
        CountDownLatch left = new CountDownLatch(job.concurrency);
        for (int chain = 0; chain < job.concurrency; chain++) next(client, left);
        try {
            left.await();
        } catch (InterruptedException stop) {
            Thread.currentThread().interrupt();
        }
    }

    private void next(Job.Client client, CountDownLatch left) {
        int key;
        boolean write;
        synchronized (this) {
            if (!running()) {
                left.countDown();
                return;
            }
            key = nextKey();
            write = writes();
        }
        long began = key % TIMED_EVERY == 0 ? System.nanoTime() : 0;
        CompletionStage<String> later = write ? client.setLater(job.names[key], job.value(key))
                : client.getLater(job.names[key]);
        later.whenComplete((reply, failure) -> {
            synchronized (this) {
                if (began != 0) latencies.note(System.nanoTime() - began);
                if (failure != null) fail(failure.toString());
                check(key, write, reply);
            }
            next(client, left);
        });
    }
}
