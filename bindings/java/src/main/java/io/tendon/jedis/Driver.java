package io.tendon.jedis;

import io.tendon.jedis.exceptions.Executed;
import io.tendon.jedis.exceptions.Failure;
import io.tendon.jedis.exceptions.JedisException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Sends what any number of threads hand over, and completes the futures. One daemon thread, the
 * leader, calls the native core for all, so commands travel in batches. While it sleeps, who hands
 * over a lone command writes it as well. The leader runs the callbacks of the futures; when one of
 * them blocks, a new leader takes over and the old one ends after it.
 */
final class Driver {
    private static final VarHandle PUSHED;
    private static final VarHandle PARKED;
    private static final AtomicInteger THREADS = new AtomicInteger();
    /** Callbacks of one client that block at the same time, at most; more wait for one to end. */
    private static final int BLOCKED_MAX = 256;
    private static final int RECORDS_BYTES = 256 * 1024;

    static {
        try {
            MethodHandles.Lookup lookup = MethodHandles.lookup();
            PUSHED = lookup.findVarHandle(Driver.class, "pushed", AsyncCall.class);
            PARKED = lookup.findVarHandle(Driver.class, "parked", boolean.class);
        } catch (ReflectiveOperationException impossible) {
            throw new ExceptionInInitializerError(impossible);
        }
    }

    private final Handle client;
    private final String name;
    private final long loop;
    private final Executor executor;
    /** Handed over and not submitted yet; the newest first. */
    private volatile AsyncCall<?> pushed;
    /** The leader sleeps or is about to. */
    private volatile boolean parked;
    private volatile boolean ended;
    private volatile Thread leader;
    /** Number of the batch that the leader delivers; 0 when it delivers none. */
    private volatile long delivering;
    private long seen; /* the watch's */

    /* Guarded by the lock. */
    private final ReentrantLock lock = new ReentrantLock();
    private final Slots slots = new Slots();
    private final Submission submission;
    private Batch batch = new Batch();
    private boolean batchIsShared; /* with a thread whose callback blocks */
    private final Batch refused = new Batch();
    private long batches;
    private int blocked;
    private boolean reclaims; /* what others have not left at the end, they never will */

    /* The leader's. */
    private final Reply reply = new Reply();
    private final ByteBuffer records = Wire.direct(RECORDS_BYTES);
    private final long recordsAddress = NativeClient.address(records);

    /** {@code executor} may be null: callbacks run on the leader. */
    Driver(Handle client, String name, Executor executor) {
        this.client = client;
        this.name = name;
        this.executor = executor;
        long pointer = client.enter();
        if (pointer == 0) {
            throw Core.closed();
        }
        loop = NativeClient.loopCreate(pointer);
        if (loop == 0) {
            client.leave();
            throw new OutOfMemoryError("no native memory or descriptor for an asynchronous client");
        }
        submission = new Submission(loop, slots);
        leader = newLeader(null);
        start(leader);
        Watch.add(this);
    }

    private void start(Thread thread) {
        try {
            thread.start();
        } catch (OutOfMemoryError noThread) {
            NativeClient.loopDestroy(loop);
            client.leave();
            throw noThread;
        }
    }

    private Thread newLeader(Batch left) {
        String numbered = name + "-" + THREADS.incrementAndGet();
        Thread thread = new Thread(null, () -> lead(left), numbered, 0, false);
        thread.setDaemon(true);
        return thread;
    }

    /** Sends one command. */
    void send(AsyncCall<?> call) {
        call.driver = this;
        push(call, call);
    }

    /** Sends commands directly one after the other. */
    void send(List<? extends AsyncCall<?>> calls) {
        for (int i = 0; i < calls.size(); i++) {
            calls.get(i).driver = this;
            calls.get(i).next = i == 0 ? null : calls.get(i - 1);
        }
        if (!calls.isEmpty()) {
            push(calls.get(0), calls.get(calls.size() - 1));
        }
    }

    private void push(AsyncCall<?> first, AsyncCall<?> last) {
        AsyncCall<?> before;
        do {
            before = pushed;
            first.next = before;
        } while (!PUSHED.compareAndSet(this, before, last));
        help();
        if (ended) {
            failPushed();
        }
    }

    /**
     * For a leader that sleeps. The only command under way is written here, which saves the waking;
     * with others the leader is woken, so that those that follow travel together. Who finds the
     * lock taken leaves it to its holder.
     */
    private void help() {
        while (parked && pushed != null && lock.tryLock()) {
            try {
                if (ended) {
                    return;
                }
                if (slots.isEmpty()) {
                    submitPushed();
                    NativeClient.loopFlush(loop);
                    wakeForRefused();
                } else if (PARKED.compareAndSet(this, true, false)) {
                    NativeClient.loopWake(loop);
                }
            } finally {
                lock.unlock();
            }
        }
    }

    private void wakeForRefused() {
        if (!refused.isEmpty()) {
            NativeClient.loopWake(loop);
        }
    }

    private void submitPushed() {
        if (pushed != null) {
            submission.submit(takePushed(), refused);
        }
    }

    /** In the order in which they were handed over. */
    private AsyncCall<?> takePushed() {
        AsyncCall<?> newest = (AsyncCall<?>) PUSHED.getAndSet(this, null);
        AsyncCall<?> ordered = null;
        while (newest != null) {
            AsyncCall<?> older = newest.next;
            newest.next = ordered;
            ordered = newest;
            newest = older;
        }
        return ordered;
    }

    private void failPushed() {
        for (AsyncCall<?> call = takePushed(); call != null; call = call.next) {
            call.settle(Core.closed());
        }
    }

    /** A connection of its own, which is there when {@code call} has ended. */
    long lease(AsyncCall<?> call, long timeoutMs) {
        lock.lock();
        try {
            if (ended) {
                throw Core.closed();
            }
            call.driver = this;
            return submission.lease(call, timeoutMs);
        } finally {
            lock.unlock();
            help();
        }
    }

    /** The program has completed this future itself. */
    void cancel(AsyncCall<?> call) {
        lock.lock();
        try {
            if (call.id != 0 && !ended) {
                NativeClient.loopCancel(loop, call.id);
            }
        } finally {
            lock.unlock();
        }
        help(); /* for who found the lock taken */
    }

    /** A command on {@code lease} has ended: nobody may be submitting it when that is freed. */
    void leave(Lease lease) {
        lock.lock();
        try {
            lease.leave();
        } finally {
            lock.unlock();
            help();
        }
    }

    /**
     * For a client that is closed or retired: the thread ends after what is under way. With
     * {@code forgotten}, for the collector, nobody but this uses the client any more.
     */
    void look(boolean forgotten) {
        if (forgotten) {
            client.close();
        }
        lock.lock();
        try {
            reclaims |= forgotten;
            if (!ended) {
                NativeClient.loopWake(loop);
            } else if (forgotten) {
                client.reclaim();
            }
        } finally {
            lock.unlock();
        }
        help();
    }

    /** A callback that waits for this client would wait for itself; lets another thread lead. */
    void beforeWait(AsyncCall<?> call) {
        if (Thread.currentThread() == leader && !call.isDone()) {
            handOver(delivering);
        }
    }

    boolean isDelivering() {
        return delivering != 0;
    }

    /** Called by the watch; whether anything was delivered since the last time. */
    boolean tick() {
        long now = delivering;
        if (now != 0 && now == seen) {
            handOver(now);
        }
        boolean active = now != seen || now != 0;
        seen = now;
        return active;
    }

    /** Makes another thread the leader if the present one still delivers batch {@code number}. */
    private void handOver(long number) {
        lock.lock();
        try {
            if (number == 0 || delivering != number || blocked == BLOCKED_MAX) {
                return;
            }
            Thread next = newLeader(batch);
            next.start(); /* it waits for the lock */
            blocked++;
            leader = next;
            batchIsShared = true;
            delivering = ++batches;
        } catch (OutOfMemoryError noThread) {
            return; /* the watch tries again */
        } finally {
            lock.unlock();
        }
        help();
    }

    private void lead(Batch left) {
        try {
            for (Batch ready = left == null ? turn() : left; ready != null; ready = turn()) {
                if (!ready.isEmpty()) {
                    Watch.notice();
                    ready.deliver(executor);
                }
            }
        } catch (Throwable failure) {
            fail(failure);
        }
        if (ended) {
            failPushed();
        }
    }

    /** Submits, waits and collects. Null when another leads by now, or when all is over. */
    private Batch turn() {
        lock.lock();
        try {
            if (Thread.currentThread() != leader) {
                blocked--;
                return null;
            }
            delivering = 0;
            if (batchIsShared) {
                batch = new Batch();
                batchIsShared = false;
            }
            batch.clear();
            submitPushed();
        } finally {
            lock.unlock();
        }
        int count = NativeClient.loopTurn(loop, recordsAddress, RECORDS_BYTES, false);
        if (count == 0) {
            count = sleep();
        }
        lock.lock();
        try {
            collect(count);
            if (batch.isEmpty() && pushed == null && client.isOver() && slots.isEmpty()) {
                end();
                return null;
            }
            delivering = batch.isEmpty() ? 0 : ++batches;
            return batch;
        } finally {
            lock.unlock();
        }
    }

    private int sleep() {
        parked = true;
        try {
            boolean idle = pushed == null && !(client.isOver() && slots.isEmpty());
            return NativeClient.loopTurn(loop, recordsAddress, RECORDS_BYTES, idle);
        } finally {
            parked = false;
        }
    }

    private void collect(int count) {
        int at = 0;
        for (int i = 0; i < count; i++) {
            AsyncCall<?> call = slots.take((int) records.getLong(at + 8));
            call.id = 0;
            batch.add(call, outcome(call, records.getInt(at + 4), at + Wire.RECORD_HEAD_BYTES));
            at += records.getInt(at);
        }
        refused.moveTo(batch);
    }

    private Object outcome(AsyncCall<?> call, int kind, int body) {
        try {
            if (kind < 0) {
                return Wire.failure(records, body).exception();
            }
            if (kind == 0) {
                Wire.point(reply, records, body);
            } else {
                reply.set(records, body, records, body + kind * Reply.NODE_BYTES);
            }
            return call.read(reply);
        } catch (RuntimeException | OutOfMemoryError failure) {
            return failure;
        }
    }

    /** Nothing is under way, and nothing will be. */
    private void end() {
        ended = true;
        Watch.remove(this);
        NativeClient.loopDestroy(loop);
        if (reclaims) {
            client.reclaim();
        } else {
            client.leave();
        }
    }

    /** Cannot happen; but if it does, nobody must wait for ever. */
    private void fail(Throwable failure) {
        if (Thread.currentThread() != leader) {
            return; /* the others are not concerned */
        }
        client.close();
        JedisException told = new JedisException(
                "The thread of the asynchronous client failed: " + failure, failure);
        told.with(new Failure(
                Failure.CLOSED, Executed.UNKNOWN, 0, 0, told.getMessage(), "", ""));
        List<AsyncCall<?>> all;
        lock.lock();
        try {
            all = slots.takeAll();
            if (!ended) {
                end();
            }
        } finally {
            lock.unlock();
        }
        all.forEach(call -> call.settle(told));
    }
}
