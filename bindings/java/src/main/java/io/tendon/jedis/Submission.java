package io.tendon.jedis;

import io.tendon.jedis.exceptions.Failure;
import io.tendon.jedis.exceptions.JedisException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/** Writes commands into native memory and submits them, in pieces of bounded size. */
final class Submission {
    private static final int PIECE_COMMANDS_MAX = 1024;
    private static final int PIECE_BYTES_MAX = 256 * 1024;
    /** A larger piece, one large command or group, gets memory for itself. */
    private static final int KEPT_BYTES_MAX = 1 << 20;

    private final long loop;
    private final Slots slots;
    private final List<AsyncCall<?>> piece = new ArrayList<>();
    private long pieceBytes;
    private ByteBuffer buffer = Wire.direct(8192);
    private long address = NativeClient.address(buffer);

    Submission(long loop, Slots slots) {
        this.loop = loop;
        this.slots = slots;
    }

    /** Submits a chain; what is not accepted goes to {@code refused}. */
    void submit(AsyncCall<?> first, Batch refused) {
        AsyncCall<?> next = first;
        while (next != null) {
            next = fill(next, PIECE_COMMANDS_MAX);
            submitPiece(refused);
            piece.clear(); /* its futures know the client, which the collector would never free */
        }
    }

    /** Takes as many as a piece holds, without splitting a group; returns the next one. */
    private AsyncCall<?> fill(AsyncCall<?> first, int commandsMax) {
        piece.clear();
        pieceBytes = 0;
        boolean inGroup = false;
        boolean skipping = false;
        AsyncCall<?> call = first;
        while (call != null
                && (inGroup || piece.size() < commandsMax && pieceBytes < PIECE_BYTES_MAX)) {
            skipping = inGroup ? skipping : call.isAbandoned();
            inGroup = (call.flags & Pending.ATOMIC) != 0 && (call.flags & Pending.ATOMIC_END) == 0;
            if (!skipping) {
                piece.add(call);
                pieceBytes += Wire.bytesOf(call.arguments);
            }
            AsyncCall<?> following = call.next;
            call.next = null; /* a future that is kept must not keep those after it */
            call = following;
        }
        return call;
    }

    private void submitPiece(Batch refused) {
        if (piece.isEmpty()) {
            return;
        }
        JedisException failure = trySubmit();
        if (failure != null && failure.status() == Failure.QUEUE_FULL) {
            submitOneByOne(refused); /* there may be room for some of them */
        } else if (failure != null) {
            piece.forEach(call -> refused.add(call, failure));
        }
    }

    private void submitOneByOne(Batch refused) {
        List<AsyncCall<?>> all = List.copyOf(piece);
        piece.clear();
        pieceBytes = 0;
        for (AsyncCall<?> call : all) {
            piece.add(call);
            pieceBytes += Wire.bytesOf(call.arguments);
            if ((call.flags & Pending.ATOMIC) == 0 || (call.flags & Pending.ATOMIC_END) != 0) {
                JedisException failure = trySubmit();
                if (failure != null) {
                    piece.forEach(one -> refused.add(one, failure));
                }
                piece.clear();
                pieceBytes = 0;
            }
        }
    }

    /** Submits the piece; null, or why nothing of it was accepted. */
    private JedisException trySubmit() {
        long bytes = Wire.CALL_HEAD_BYTES + pieceBytes;
        boolean large = bytes > KEPT_BYTES_MAX;
        long memory = 0;
        try {
            memory = large ? Wire.allocate(bytes) : room((int) bytes);
            return submit(large ? Wire.view(memory, bytes) : buffer, memory);
        } catch (JedisException failure) {
            return failure;
        } catch (RuntimeException failure) { /* arguments that changed meanwhile */
            return Failure.before(Failure.ARGUMENT, "Nothing was sent: " + failure).exception();
        } catch (OutOfMemoryError failure) {
            return Failure.before(Failure.NO_MEMORY, "Nothing was sent: " + failure.getMessage())
                    .exception();
        } finally {
            if (large && memory != 0) {
                NativeClient.release(memory);
            }
        }
    }

    private JedisException submit(ByteBuffer target, long memory) {
        boolean accepted = false;
        piece.forEach(call -> call.slot = slots.put(call));
        try {
            write(target);
            accepted = NativeClient.loopSubmit(loop, memory, target.capacity()) >= 0;
        } finally {
            if (!accepted) {
                piece.forEach(call -> slots.take(call.slot));
            }
        }
        for (int i = 0; accepted && i < piece.size(); i++) {
            AsyncCall<?> call = piece.get(i);
            call.id = Wire.id(target, i);
            call.arguments = null;
        }
        return accepted ? null : Wire.failure(target, 0).exception();
    }

    private void write(ByteBuffer target) {
        int count = piece.size();
        Wire.writeHead(target, count);
        int sizesAt = Wire.CALL_HEAD_BYTES + Wire.COMMAND_HEAD_BYTES * count;
        int wordsAt = sizesAt;
        for (int i = 0; i < count; i++) {
            wordsAt += 4 * piece.get(i).arguments.size();
        }
        for (int i = 0; i < count; i++) {
            AsyncCall<?> call = piece.get(i);
            int words = call.arguments.size();
            int flags = call.flags | call.arguments.routeFlags();
            Wire.writeCommand(target, i, words, flags, call.slot, call.lease);
            wordsAt = Wire.writeWords(target, call.arguments, sizesAt, wordsAt);
            sizesAt += 4 * words;
        }
    }

    /** Asks for a connection of its own; the call says when it is there. Returns the lease. */
    long lease(AsyncCall<?> call, long timeoutMs) {
        int slot = slots.put(call);
        long lease =
                NativeClient.loopLease(loop, timeoutMs, slot, address, buffer.capacity());
        if (lease == 0) {
            slots.take(slot);
            throw Wire.failure(buffer, 0).exception();
        }
        return lease;
    }

    private long room(int bytes) {
        if (bytes > buffer.capacity()) {
            buffer = Wire.direct(Integer.highestOneBit(bytes - 1) << 1);
            address = NativeClient.address(buffer);
        }
        return address;
    }
}
