package io.tendon.jedis;

import io.tendon.jedis.exceptions.Executed;
import io.tendon.jedis.exceptions.Failure;
import io.tendon.jedis.exceptions.JedisDataException;
import io.tendon.jedis.exceptions.JedisException;
import io.tendon.jedis.exceptions.ServerErrors;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * The direct buffer of one thread, through which commands go to the native core and outcomes come
 * back. A reply is read out of it before the thread's next command. Layouts:
 * src/main/native/jni_call.c, jni_tape.c.
 */
final class Exchange {
    /** Flag TENDON_REQUEST_CONNECT: no arguments, answered when a connection is ready. */
    private static final int CONNECT = 64;

    private static final int BYTES_MIN = 8192;
    /** A thread keeps at most this much; larger commands and replies get memory for themselves. */
    private static final int KEPT_BYTES_MAX = 1 << 20;
    /** A ByteBuffer is counted in int. */
    private static final long BYTES_MAX = Integer.MAX_VALUE - 4096L;
    private static final int CALL_HEAD_BYTES = 16;
    private static final int COMMAND_HEAD_BYTES = 8;
    private static final int RECORD_HEAD_BYTES = 8;
    private static final int ERROR_HEAD_BYTES = 36;

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
        buffer = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
        address = NativeClient.address(buffer);
    }

    /** Sends one command and reads its reply. Throws the server's error or the failure. */
    <T> T call(long client, long lease, CommandArguments arguments, Builder<T> builder) {
        long bytes =
                CALL_HEAD_BYTES + COMMAND_HEAD_BYTES + 4L * arguments.size() + arguments.bytes();
        if (bytes > KEPT_BYTES_MAX) {
            return callLarge(client, lease, arguments, builder, bytes);
        }
        room(bytes);
        writeHead(buffer, 1);
        writeOne(buffer, arguments);
        return outcome(NativeClient.call(client, lease, address, buffer.capacity()), builder);
    }

    private <T> T callLarge(long client, long lease, CommandArguments arguments, Builder<T> builder,
            long bytes) {
        long memory = allocate(bytes);
        try {
            ByteBuffer large = view(memory, bytes);
            writeHead(large, 1);
            writeOne(large, arguments);
            int status = NativeClient.call(client, lease, memory, (int) bytes);
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
        writeHead(buffer, 1);
        buffer.putInt(CALL_HEAD_BYTES, 0);
        buffer.putInt(CALL_HEAD_BYTES + 4, CONNECT);
        outcome(NativeClient.call(client, 0, address, buffer.capacity()),
                BuilderFactory.RAW_OBJECT);
    }

    /**
     * Sends all commands together and gives each its outcome. Returns the last failure, or null.
     * Throws when nothing was sent.
     */
    JedisException batch(long client, long lease, List<? extends Pending> commands) {
        long bytes = CALL_HEAD_BYTES;
        for (Pending command : commands) {
            bytes += COMMAND_HEAD_BYTES + 4L * command.arguments.size() + command.arguments.bytes();
        }
        boolean large = bytes > KEPT_BYTES_MAX;
        long memory = large ? allocate(bytes) : room(bytes);
        long batch;
        try {
            ByteBuffer target = large ? view(memory, bytes) : buffer;
            writeHead(target, commands.size());
            writeAll(target, commands);
            batch = NativeClient.batch(client, lease, memory, target.capacity());
            if (batch == 0) {
                throw failure(target, 0).exception();
            }
        } finally {
            if (large) {
                NativeClient.release(memory);
            }
        }
        try {
            return takeAll(batch, commands);
        } finally {
            NativeClient.batchDestroy(batch);
        }
    }

    private JedisException takeAll(long batch, List<? extends Pending> commands) {
        JedisException failure = null;
        int done = 0;
        while (done < commands.size()) {
            int count = NativeClient.batchTake(batch, address, buffer.capacity());
            int at = 0;
            for (int i = 0; i < count; i++) {
                JedisException failed = take(commands.get(done++), at);
                failure = failed == null ? failure : failed;
                at += buffer.getInt(at);
            }
        }
        return failure;
    }

    private JedisException take(Pending command, int at) {
        int kind = buffer.getInt(at + 4);
        int body = at + RECORD_HEAD_BYTES;
        if (kind < 0) {
            JedisException failed = failure(buffer, body).exception();
            command.failed(failed);
            return failed;
        }
        if (kind == 0) {
            point(buffer, body);
        } else {
            reply.set(buffer, body, buffer, body + kind * Reply.NODE_BYTES);
        }
        command.answered(reply.object());
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
            throw failure(from, 0).exception();
        }
        long owned = from.getLong(0);
        try {
            point(from, 0);
            return result(builder);
        } finally {
            NativeClient.replyDestroy(owned);
        }
    }

    private <T> T result(Builder<T> builder) {
        if (reply.type() == Reply.ERROR) {
            throw ServerErrors.reply(reply.text());
        }
        return builder.read(reply);
    }

    /** Points at a reply too large for the buffer, where the core keeps it. */
    private void point(ByteBuffer from, int at) {
        long nodes = from.getLong(at + 8);
        long nodeBytes = from.getLong(at + 16) * Reply.NODE_BYTES;
        long data = from.getLong(at + 24);
        long dataBytes = from.getLong(at + 32);
        if (nodeBytes > BYTES_MAX || dataBytes > BYTES_MAX) {
            throw limit(
                    "The reply is larger than 2 GiB; lower max_reply_bytes and read it in parts",
                    Executed.YES);
        }
        reply.set(view(nodes, nodeBytes), 0, dataBytes == 0 ? from : view(data, dataBytes), 0);
    }

    /** The failure that a native method wrote into this thread's buffer. */
    Failure failure() {
        return failure(buffer, 0);
    }

    private static Failure failure(ByteBuffer from, int at) {
        int messageBytes = from.getInt(at + 24);
        int prefixBytes = from.getInt(at + 28);
        int nodeBytes = from.getInt(at + 32);
        int text = at + ERROR_HEAD_BYTES;
        Executed executed = switch (from.getInt(at + 8)) {
            case 1 -> Executed.NO;
            case 2 -> Executed.YES;
            default -> Executed.UNKNOWN;
        };
        return new Failure(from.getInt(at), executed, from.getInt(at + 12), from.getLong(at + 16),
                text(from, text, messageBytes), text(from, text + messageBytes, prefixBytes),
                text(from, text + messageBytes + prefixBytes, nodeBytes));
    }

    private static String text(ByteBuffer from, int at, int bytes) {
        byte[] copy = new byte[bytes];
        from.get(at, copy);
        return new String(copy, StandardCharsets.UTF_8);
    }

    private long room(long bytes) {
        if (bytes > buffer.capacity()) {
            use(Math.max(Integer.highestOneBit((int) bytes - 1) << 1, BYTES_MIN));
        }
        return address;
    }

    private static long allocate(long bytes) {
        if (bytes > BYTES_MAX) {
            throw limit(
                    "A command or transaction has at most 2 GiB; nothing was sent", Executed.NO);
        }
        long memory = NativeClient.allocate(bytes);
        if (memory == 0) {
            throw new OutOfMemoryError("no native memory for a command of " + bytes + " bytes");
        }
        return memory;
    }

    private static JedisDataException limit(String message, Executed executed) {
        Failure failure = new Failure(Failure.LIMIT, executed, 0, 0, message, "", "");
        return (JedisDataException) failure.exception();
    }

    private static ByteBuffer view(long memory, long bytes) {
        return NativeClient.view(memory, bytes).order(ByteOrder.nativeOrder());
    }

    private static void writeHead(ByteBuffer target, int count) {
        target.putInt(0, count);
        target.putInt(4, 0);
        target.putLong(8, 0); /* the deadline comes from the options */
    }

    private static void writeOne(ByteBuffer target, CommandArguments arguments) {
        target.putInt(CALL_HEAD_BYTES, arguments.size());
        target.putInt(CALL_HEAD_BYTES + 4, 0);
        int sizesAt = CALL_HEAD_BYTES + COMMAND_HEAD_BYTES;
        writeWords(target, arguments, sizesAt, sizesAt + 4 * arguments.size());
    }

    private static void writeAll(ByteBuffer target, List<? extends Pending> commands) {
        int headAt = CALL_HEAD_BYTES;
        int sizesAt = headAt + COMMAND_HEAD_BYTES * commands.size();
        int wordsAt = sizesAt;
        for (Pending command : commands) {
            wordsAt += 4 * command.arguments.size();
        }
        for (Pending command : commands) {
            target.putInt(headAt, command.arguments.size());
            target.putInt(headAt + 4, command.flags);
            wordsAt = writeWords(target, command.arguments, sizesAt, wordsAt);
            headAt += COMMAND_HEAD_BYTES;
            sizesAt += 4 * command.arguments.size();
        }
    }

    private static int writeWords(
            ByteBuffer target, CommandArguments arguments, int sizesAt, int wordsAt) {
        int at = wordsAt;
        for (int i = 0; i < arguments.size(); i++) {
            byte[] word = arguments.word(i);
            target.putInt(sizesAt + 4 * i, word.length);
            target.put(at, word);
            at += word.length;
        }
        return at;
    }
}
