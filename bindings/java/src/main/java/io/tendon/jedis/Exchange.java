package io.tendon.jedis;

import io.tendon.jedis.exceptions.JedisException;
import io.tendon.jedis.exceptions.ServerErrors;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The direct buffer of one thread, through which commands go to the native core and outcomes come
 * back. A reply is read out of it before the thread's next command.
 */
final class Exchange {
    /** Flag TENDON_REQUEST_CONNECT: no arguments, answered when a connection is ready. */
    private static final int CONNECT = 64;

    /** Enough for most commands and replies: there may be thousands of threads. */
    private static final int BYTES_MIN = 2048;
    /** Replies that did not fit make it grow up to this size, where a copy is still cheaper. */
    private static final int REPLIES_BYTES_MAX = 64 * 1024;
    /** A thread keeps at most this much; larger commands and replies get memory for themselves. */
    private static final int KEPT_BYTES_MAX = 1 << 20;

    private static final ThreadLocal<Exchange> CURRENT = ThreadLocal.withInitial(Exchange::new);

    private final Reply reply = new Reply();
    private ByteBuffer buffer;
    private long address;

    private Exchange() {
        use(BYTES_MIN);
    }

    static Exchange current() {
        return CURRENT.get();
    }

    long address() {
        return address;
    }

    int capacity() {
        return buffer.capacity();
    }

    ByteBuffer buffer() {
        return buffer;
    }

    private void use(int bytes) {
        buffer = Wire.direct(bytes);
        address = NativeClient.address(buffer);
    }

    /** Sends one command and reads its reply. Throws the server's error or the failure. */
    <T> T call(long client, long lease, CommandArguments arguments, Builder<T> builder) {
        long bytes = Wire.CALL_HEAD_BYTES + Wire.bytesOf(arguments);
        if (bytes > KEPT_BYTES_MAX) {
            return callLarge(client, lease, arguments, builder, bytes);
        }
        room(bytes);
        writeOne(buffer, lease, arguments);
        return outcome(NativeClient.call(client, address, buffer.capacity()), builder);
    }

    private <T> T callLarge(long client, long lease, CommandArguments arguments, Builder<T> builder,
            long bytes) {
        long memory = Wire.allocate(bytes);
        try {
            ByteBuffer large = Wire.view(memory, bytes);
            writeOne(large, lease, arguments);
            int status = NativeClient.call(client, memory, (int) bytes);
            return outcome(large, status, builder);
        } finally {
            NativeClient.release(memory);
        }
    }

    /**
     * Waits until a connection is ready: resolved, connected, authenticated; in a cluster, its map
     * read.
     */
    void connect(long client) {
        Wire.writeHead(buffer, 1);
        Wire.writeCommand(buffer, 0, 0, CONNECT, 0, 0);
        outcome(NativeClient.call(client, address, buffer.capacity()), BuilderFactory.RAW_OBJECT);
    }

    /** Waits for a connection of its own. */
    long lease(long client, long timeoutMs) {
        long lease = NativeClient.leaseOpen(client, timeoutMs, address, buffer.capacity());
        check(lease == 0 ? -1 : 0);
        return lease;
    }

    /**
     * Sends all commands together and gives each its outcome. Returns the last failure, or null.
     * Throws when nothing was sent.
     */
    JedisException batch(long client, long lease, List<? extends Pending> commands) {
        long bytes = Wire.CALL_HEAD_BYTES;
        for (Pending command : commands) {
            bytes += Wire.bytesOf(command.arguments);
        }
        boolean large = bytes > KEPT_BYTES_MAX;
        long memory = large ? Wire.allocate(bytes) : room(bytes);
        int count;
        try {
            writeAll(large ? Wire.view(memory, bytes) : buffer, lease, commands);
            count = NativeClient.batch(client, memory, address, buffer.capacity());
        } finally {
            if (large) {
                NativeClient.release(memory);
            }
        }
        check(count);
        long left = buffer.getLong(0);
        try {
            return takeAll(left, count, commands);
        } finally {
            if (left != 0) {
                NativeClient.batchDestroy(left);
                grow(2L * buffer.capacity());
            }
        }
    }

    private JedisException takeAll(long left, int taken, List<? extends Pending> commands) {
        JedisException failure = null;
        int count = taken;
        int at = Long.BYTES;
        int done = 0;
        while (true) {
            for (int i = 0; i < count; i++) {
                JedisException failed = take(commands.get(done++), at);
                failure = failed == null ? failure : failed;
                at += buffer.getInt(at);
            }
            if (done == commands.size()) {
                return failure;
            }
            count = NativeClient.batchTake(left, address, buffer.capacity());
            at = 0;
        }
    }

    private JedisException take(Pending command, int at) {
        int kind = buffer.getInt(at + 4);
        int body = at + Wire.RECORD_HEAD_BYTES;
        if (kind < 0) {
            JedisException failed = Wire.failure(buffer, body).exception();
            command.failed(failed);
            return failed;
        }
        if (kind == 0) {
            Wire.point(reply, buffer, body);
        } else {
            reply.set(buffer, body, buffer, body + kind * Reply.NODE_BYTES);
        }
        command.answered(reply);
        return null;
    }

    private <T> T outcome(int kind, Builder<T> builder) {
        return outcome(buffer, kind, builder);
    }

    private <T> T outcome(ByteBuffer from, int kind, Builder<T> builder) {
        if (kind > 0) {
            reply.set(from, 0, from, kind * Reply.NODE_BYTES);
            return result(builder);
        }
        if (kind < 0) {
            throw Wire.failure(from, 0).exception();
        }
        long owned = from.getLong(0);
        try {
            Wire.point(reply, from, 0);
            return result(builder);
        } finally {
            NativeClient.replyDestroy(owned);
            grow(from.getLong(16) * Reply.NODE_BYTES + from.getLong(32));
        }
    }

    private <T> T result(Builder<T> builder) {
        if (reply.type() == Reply.ERROR) {
            throw ServerErrors.reply(reply.text());
        }
        return builder.read(reply);
    }

    /** Throws the failure that a native method wrote into this buffer, when it says that it did. */
    void check(int status) {
        if (status < 0) {
            throw Wire.failure(buffer, 0).exception();
        }
    }

    /** Replies did not fit, which costs crossings and views: so many bytes may the next time. */
    private void grow(long bytes) {
        if (bytes > buffer.capacity() && bytes <= REPLIES_BYTES_MAX) {
            try {
                room(bytes);
            } catch (OutOfMemoryError kept) {
                return; /* they go on coming in pieces */
            }
        }
    }

    private long room(long bytes) {
        if (bytes > buffer.capacity()) {
            use(Math.max(Integer.highestOneBit((int) bytes - 1) << 1, BYTES_MIN));
        }
        return address;
    }

    private static void writeOne(ByteBuffer target, long lease, CommandArguments arguments) {
        Wire.writeHead(target, 1);
        Wire.writeCommand(target, 0, arguments.size(), arguments.routeFlags(), 0, lease);
        int sizesAt = Wire.CALL_HEAD_BYTES + Wire.COMMAND_HEAD_BYTES;
        Wire.writeWords(target, arguments, sizesAt, sizesAt + 4 * arguments.size());
    }

    private static void writeAll(
            ByteBuffer target, long lease, List<? extends Pending> commands) {
        Wire.writeHead(target, commands.size());
        int sizesAt = Wire.CALL_HEAD_BYTES + Wire.COMMAND_HEAD_BYTES * commands.size();
        int wordsAt = sizesAt;
        for (Pending command : commands) {
            wordsAt += 4 * command.arguments.size();
        }
        int index = 0;
        for (Pending command : commands) {
            int words = command.arguments.size();
            int flags = command.flags | command.arguments.routeFlags();
            Wire.writeCommand(target, index++, words, flags, 0, lease);
            wordsAt = Wire.writeWords(target, command.arguments, sizesAt, wordsAt);
            sizesAt += 4 * words;
        }
    }
}
