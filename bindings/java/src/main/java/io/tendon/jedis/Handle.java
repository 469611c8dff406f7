package io.tendon.jedis;

import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongConsumer;

/**
 * A native pointer that cannot be used after it was freed. Every use is between enter and leave;
 * close stops new uses, and the last to leave frees.
 */
final class Handle {
    private final long pointer;
    private final LongConsumer onClose;
    private final LongConsumer free;
    private final AtomicInteger users = new AtomicInteger(1); /* the owner, until close */
    private final AtomicBoolean closed = new AtomicBoolean();
    private final AtomicBoolean owned = new AtomicBoolean(true);
    private volatile boolean retired;

    /**
     * {@code onClose} runs once, at close, while others may still be inside; {@code free} runs at
     * the end.
     */
    Handle(long pointer, LongConsumer onClose, LongConsumer free) {
        this.pointer = pointer;
        this.onClose = onClose;
        this.free = free;
    }

    /** The pointer, valid until leave; 0 when closed, and then leave must not be called. */
    long enter() {
        return !isClosed() && stay() ? pointer : 0;
    }

    /** As enter, though it is closed; false when it has been freed. */
    boolean stay() {
        int count;
        do {
            count = users.get();
        } while (count > 0 && !users.compareAndSet(count, count + 1));
        return count > 0;
    }

    void leave() {
        if (users.decrementAndGet() == 0) {
            free.accept(pointer);
        }
    }

    /** For the owner, who closes it and does not do so while using this, and for who is inside. */
    long pointer() {
        return pointer;
    }

    boolean isClosed() {
        return retired || closed.get();
    }

    void close() {
        if (closed.compareAndSet(false, true) && stay()) {
            onClose.accept(pointer);
            leave();
            disown();
        }
    }

    /** Whether nothing is left to do for who is the only one inside. */
    boolean isOver() {
        return closed.get() || retired && users.get() == 1;
    }

    boolean isRetired() {
        return retired;
    }

    /** As close, but who is inside may stay undisturbed. */
    void retire() {
        retired = true;
        disown();
    }

    private void disown() {
        if (owned.compareAndSet(true, false)) {
            leave();
        }
    }

    /** Closes and frees, for the collector: nobody is inside who could be, nor will be. */
    void reclaim() {
        if (closed.compareAndSet(false, true) && users.get() > 0) {
            onClose.accept(pointer);
        }
        if (users.getAndSet(0) > 0) {
            free.accept(pointer);
        }
    }
}
