package bench;

import java.util.List;
import java.util.Map;

/** What one thread does, one call after the other, and how its replies are checked. */
final class Tally {
    private static final int CONTENT_EVERY = 1000;
    private static final int HASHES = 10;
    private static final long PAUSE_MILLIS = 10;

    final Job job;
    final Client.Maker maker;
    private int turn;
    boolean counting;
    private volatile boolean over;
    private volatile long called;
    long ops;
    long errors;
    String complaint = "";
    Latencies latencies = new Latencies();
    final Troubles troubles = new Troubles();

    Tally(Job job, Client.Maker maker, int turn) {
        this.job = job;
        this.maker = maker;
        this.turn = turn;
    }

    boolean running() {
        int phase = job.phase;
        // Also in one that never had its turn while it was measured: its warm-up does not count.
        if (phase != Job.WARMING_UP && !counting) {
            counting = true;
            ops = 0;
            latencies = new Latencies();
        }
        return phase != Job.OVER;
    }

    int nextKey() {
        turn++;
        return turn % job.keys;
    }

    boolean writes() {
        return job.op.equals("set") || (job.op.equals("mixed") && turn % 5 == 0);
    }

    void check(int key, boolean write, String reply) {
        ops++;
        if (write && !"OK".equals(reply)) fail("SET did not answer OK");
        else if (!write && (reply == null || reply.length() != job.size))
            fail("a value has the wrong length");
        else if (!write && ops % CONTENT_EVERY == 1 && !reply.equals(job.value(key)))
            fail("a value has the wrong content");
    }

    void fail(String text) {
        errors++;
        if (complaint.isEmpty()) complaint = text;
    }

    void work(Client client) {
        try {
            switch (job.mode) {
                case "async" -> new Futures(this, client).run();
                case "failover" -> {
                    if (job.yes("futures")) new Futures(this, client).run();
                    else throughFailover(client);
                }
                case "batch", "mget" -> together(client);
                case "hash" -> hashes(client);
                case "connect" -> Happenings.connections(this);
                case "subscribe" -> Happenings.messages(this, client);
                case "lease" -> oneAtATime(client.lease());
                default -> oneAtATime(client);
            }
        } catch (Throwable failure) {
            System.err.println("error: " + failure);
            fail(failure.toString());
        }
        over = true;
    }

    /** A call that never ended is a failure of its own kind. */
    void unanswered() {
        if (over) return;
        if (job.mode.equals("failover") && !job.yes("futures"))
            troubles.note(called - job.began, System.nanoTime() - called, "unanswered");
        else if (!job.mode.equals("failover")) fail("a call did not end");
    }

    private String call(Client client, int key, boolean write) throws Exception {
        return write ? client.set(job.names[key], job.value(key)) : client.get(job.names[key]);
    }

    private void oneAtATime(Client client) throws Exception {
        while (running()) {
            int key = nextKey();
            boolean write = writes();
            long began = System.nanoTime();
            String reply = call(client, key, write);
            latencies.note(System.nanoTime() - began);
            check(key, write, reply);
        }
    }

    private void throughFailover(Client client) throws InterruptedException {
        while (running()) {
            int key = nextKey();
            boolean write = writes();
            String reply = null;
            String kind = null;
            called = System.nanoTime();
            try {
                reply = call(client, key, write);
            } catch (Exception failure) {
                kind = Troubles.kind(failure);
            }
            long took = System.nanoTime() - called;
            latencies.note(took);
            if (counting) troubles.note(called - job.began, took, kind);
            if (kind == null) check(key, write, reply);
            else Thread.sleep(PAUSE_MILLIS);
        }
    }

    private void together(Client client) throws Exception {
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
            if (replies.size() != keys.length) fail("a batch has the wrong number of replies");
            for (int at = 0; at < keys.length; at++) check(keys[at], write, replies.get(at));
        }
    }

    private void hashes(Client client) throws Exception {
        String[] names = new String[HASHES];
        String[] fields = new String[job.batch];
        for (int at = 0; at < HASHES; at++) names[at] = String.format("hash:%012d", at);
        for (int at = 0; at < fields.length; at++) fields[at] = String.format("field:%03d", at);
        for (int at = 0; running(); at = (at + 1) % HASHES) {
            long began = System.nanoTime();
            Map<String, String> reply = client.hash(names[at]);
            latencies.note(System.nanoTime() - began);
            if (reply.size() != fields.length) fail("a hash has the wrong number of fields");
            for (int field = 0; field < fields.length; field++)
                check(at + field, false, reply.get(fields[field]));
        }
    }
}
