package io.tendon.jedis;

import java.nio.ByteBuffer;

/**
 * The native methods over include/tendon (src/main/native). Handles and buffers are addresses; none
 * of these methods calls back into Java. Methods with (out, capacity) write an error there when
 * they fail, see Exchange.
 */
final class NativeClient {
    /** TENDON_ABI_MAJOR and TENDON_ABI_MINOR that this class was written for. */
    private static final int ABI_MAJOR = 1;

    static {
        NativeLoader.load();
        int abi = abiVersion();
        if (abi >>> 16 != ABI_MAJOR) {
            throw new UnsatisfiedLinkError("libtendon " + version() + " has ABI " + (abi >>> 16)
                    + ", tendon-java needs ABI " + ABI_MAJOR + "; install matching versions");
        }
    }

    private NativeClient() {
    }

    static native int abiVersion();

    static native String version();

    /** The address of a direct buffer. */
    static native long address(ByteBuffer buffer);

    /** A direct buffer over native memory, which stays the owner's. */
    static native ByteBuffer view(long address, long size);

    /** malloc; 0 when there is no memory. */
    static native long allocate(long size);

    static native void release(long address);

    static native long configCreate();

    static native int configSet(long config, byte[] name, byte[] value, long out, int capacity);

    static native int configSetUrl(long config, byte[] url, long out, int capacity);

    static native void configDestroy(long config);

    /** 0 when it failed. */
    static native long clientCreate(long config, long out, int capacity);

    static native void clientClose(long client);

    static native void clientDestroy(long client);

    /** Copies struct tendon_stats. */
    static native int clientStats(long client, long out, int capacity);

    /** 0 when it failed. */
    static native long leaseOpen(long client, long timeoutMs, long out, int capacity);

    static native void leaseEnd(long lease, boolean discard);

    /**
     * Number of nodes written, 0 when the reply is too large for the buffer, negative for an
     * error.
     */
    static native int call(long client, long buffer, int capacity);

    /**
     * Sends the commands of a frame and takes outcomes: writes 8 bytes, the batch for batchTake and
     * batchDestroy or 0 when nothing is left, and records. Returns their number, or negative for an
     * error when nothing was sent.
     */
    static native int batch(long client, long frame, long buffer, int capacity);

    /** Writes the next outcomes and returns how many. */
    static native int batchTake(long batch, long buffer, int capacity);

    static native void batchDestroy(long batch);

    static native void replyDestroy(long reply);

    /** Sends without waiting, see Driver; 0 when there is no memory or descriptor. */
    static native long loopCreate(long client);

    /** Hands commands over and replaces their tags by ids; negative when none was accepted. */
    static native int loopSubmit(long loop, long buffer, int capacity);

    /** Writes what was submitted; for a thread that does not call loopTurn next. */
    static native void loopFlush(long loop);

    /** Does what is due, after waiting for something with {@code sleep}; number of records. */
    static native int loopTurn(long loop, long buffer, int capacity, boolean sleep);

    static native void loopCancel(long loop, long id);

    /** Ends the sleep of loopTurn. */
    static native void loopWake(long loop);

    /** A lease that is ready when the outcome with {@code tag} says so; 0 when it failed. */
    static native long loopLease(long loop, long timeoutMs, long tag, long out, int capacity);

    /** After this the client may be destroyed. */
    static native void loopDestroy(long loop);

    /** A stream of messages, see Subscription; 0 when it failed. */
    static native long subscriptionOpen(long client, long out, int capacity);

    /** Submits the only command of a frame; negative when it was not accepted. */
    static native int subscriptionSubmit(long subscription, long buffer, int capacity);

    /**
     * Writes the next outcome (0) or event as a record and returns its number, with its delay in
     * the upper half; -1 when none came in time.
     */
    static native long subscriptionTake(
            long subscription, long timeoutMs, long out, int capacity);

    /** Ends the wait of subscriptionTake. */
    static native void subscriptionWake(long subscription);

    /** Nobody is inside subscriptionTake, nor will be. */
    static native void subscriptionClose(long subscription);
}
