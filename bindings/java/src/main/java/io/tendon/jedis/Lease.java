package io.tendon.jedis;

import io.tendon.jedis.exceptions.Failure;
import io.tendon.jedis.exceptions.JedisException;
import java.lang.ref.Reference;

/** One connection of a client, lent to one borrower until close. */
final class Lease {
    private final Engine engine;
    private final Handle handle;
    private volatile boolean broken;

    /** For who is inside {@code engine}, which it keeps until it has ended. */
    Lease(Core core, Engine engine, long pointer) {
        this.engine = engine;
        engine.stay();
        this.handle = new Handle(pointer, ended -> { }, ended -> {
            NativeClient.leaseEnd(ended, broken);
            engine.leave();
            Reference.reachabilityFence(core);
        });
    }

    Engine engine() {
        return engine;
    }

    /** For who has entered. */
    long pointer() {
        return handle.pointer();
    }

    long enter() {
        long pointer = handle.enter();
        if (pointer == 0) {
            throw Failure
                    .before(Failure.CLOSED,
                            "This Jedis has been closed and its connection given back;"
                                    + " get another one. Nothing was sent")
                    .exception();
        }
        return pointer;
    }

    void leave() {
        handle.leave();
    }

    /** Marks it broken when {@code failure}, which may be null, says so. */
    void breakOn(JedisException failure) {
        if (failure != null && failure.failure().breaksConnection()) {
            markBroken();
        }
    }

    boolean isBroken() {
        return broken;
    }

    /** The connection will be closed instead of pooled. */
    void markBroken() {
        broken = true;
    }

    /** Gives the connection back, at the latest when the call that is running on it has ended. */
    void close() {
        handle.close();
    }
}
