package io.tendon.jedis;

import io.tendon.jedis.exceptions.Executed;
import io.tendon.jedis.exceptions.Failure;
import io.tendon.jedis.exceptions.JedisDataException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * How commands go to the native core in a direct buffer and outcomes come back. Layouts:
 * src/main/native/jni_frame.h and jni_tape.c. All numbers are in native byte order.
 */
final class Wire {
    static final int CALL_HEAD_BYTES = 16;
    static final int COMMAND_HEAD_BYTES = 24;
    static final int RECORD_HEAD_BYTES = 16;
    /** A ByteBuffer is counted in int. */
    static final long BYTES_MAX = Integer.MAX_VALUE - 4096L;

    private static final int ERROR_HEAD_BYTES = 36;

    private Wire() {
    }

    /** Room that one command takes. */
    static long bytesOf(CommandArguments arguments) {
        return COMMAND_HEAD_BYTES + 4L * arguments.size() + arguments.bytes();
    }

    static void writeHead(ByteBuffer target, int count) {
        target.putInt(0, count);
        target.putInt(4, 0);
        target.putLong(8, 0); /* the deadline comes from the options */
    }

    /** What is told of command {@code index} beside its arguments. */
    static void writeCommand(
            ByteBuffer target, int index, int words, int flags, long tag, long lease) {
        int at = CALL_HEAD_BYTES + COMMAND_HEAD_BYTES * index;
        target.putInt(at, words);
        target.putInt(at + 4, flags);
        target.putLong(at + 8, tag);
        target.putLong(at + 16, lease);
    }

    /** The id that the core gave to command {@code index}, in place of its tag. */
    static long id(ByteBuffer target, int index) {
        return target.getLong(CALL_HEAD_BYTES + COMMAND_HEAD_BYTES * index + 8);
    }

    /** Returns where the next words go. */
    static int writeWords(ByteBuffer target, CommandArguments arguments, int sizesAt, int wordsAt) {
        int at = wordsAt;
        for (int i = 0; i < arguments.size(); i++) {
            byte[] word = arguments.word(i);
            target.putInt(sizesAt + 4 * i, word.length);
            target.put(at, word);
            at += word.length;
        }
        return at;
    }

    /** The failure that a native method wrote. */
    static Failure failure(ByteBuffer from, int at) {
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

    /** Points at a reply too large for the buffer, where the core keeps it. */
    static void point(Reply reply, ByteBuffer from, int at) {
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

    /** Native memory, to give to NativeClient.release. */
    static long allocate(long bytes) {
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

    static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    static ByteBuffer view(long memory, long bytes) {
        return NativeClient.view(memory, bytes).order(ByteOrder.nativeOrder());
    }
}
