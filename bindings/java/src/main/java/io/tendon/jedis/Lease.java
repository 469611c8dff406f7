package io.tendon.jedis;

import io.tendon.jedis.exceptions.Failure;
import java.lang.ref.Reference;

/** One connection of a client, lent to one borrower until close. */
final class Lease {
    private final Core core;
    private final Handle handle;
    private volatile boolean broken;

    Lease(Core core, long pointer, Runnable afterwards) {
        this.core = core;
        this.handle = new Handle(pointer, ended -> { }, ended -> {
            NativeClient.leaseEnd(ended, broken);
            afterwards.run();
            Reference.reachabilityFence(core);
        });
    }

    Core core() {
        return core;
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
