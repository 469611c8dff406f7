package io.tendon.jedis;

import io.tendon.jedis.exceptions.ServerErrors;
import io.tendon.jedis.util.KeyValue;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads the tape of include/tendon/reply.h: nodes of 16 bytes in depth-first order, and the bytes
 * of strings. Valid until the thread's next command; what it returns is copied.
 */
final class Reply {
    static final int NODE_BYTES = 16;

    static final int NULL = 1;
    static final int STATUS = 2;
    static final int ERROR = 3;
    static final int INTEGER = 4;
    static final int STRING = 5;
    static final int ARRAY = 6;
    static final int DOUBLE = 7;
    static final int BOOLEAN = 8;
    static final int BIG_NUMBER = 9;
    static final int VERBATIM = 10;
    static final int MAP = 11;
    static final int SET = 12;
    static final int PUSH = 13;

    /** Short texts are read through an array that is kept. */
    private static final int SCRATCH_BYTES = 1024;

    private final byte[] scratch = new byte[SCRATCH_BYTES];
    private ByteBuffer nodes;
    private int nodesAt;
    private ByteBuffer data;
    private int dataAt;
    private int next;

    void set(ByteBuffer newNodes, int newNodesAt, ByteBuffer newData, int newDataAt) {
        nodes = newNodes;
        nodesAt = newNodesAt;
        data = newData;
        dataAt = newDataAt;
    }

    int type() {
        return nodes.get(nodesAt);
    }

    boolean isString() {
        int type = type();
        return type == STRING || type == STATUS || type == VERBATIM;
    }

    /** The integer of the root. */
    long integer() {
        return nodes.getLong(nodesAt + 8);
    }

    /** The bytes of the root, a string of any kind. */
    byte[] bytes() {
        return bytes(0);
    }

    String text() {
        int size = nodes.getInt(nodesAt + 4);
        if (size > SCRATCH_BYTES) {
            return new String(bytes(0), StandardCharsets.UTF_8);
        }
        data.get(dataAt + (int) nodes.getLong(nodesAt + 8), scratch, 0, size);
        return new String(scratch, 0, size, StandardCharsets.UTF_8);
    }

    /**
     * The whole reply as Jedis' raw objects: byte[], Long, List, null; of RESP3 also Double,
     * Boolean, ...
     */
    Object object() {
        next = 0;
        return take();
    }

    private byte[] bytes(int index) {
        int at = nodesAt + index * NODE_BYTES;
        byte[] copy = new byte[nodes.getInt(at + 4)];
        data.get(dataAt + (int) nodes.getLong(at + 8), copy);
        return copy;
    }

    private Object take() {
        int index = next++;
        int at = nodesAt + index * NODE_BYTES;
        switch (nodes.get(at)) {
            case NULL:
                return null;
            case INTEGER:
                return nodes.getLong(at + 8);
            case DOUBLE:
                return nodes.getDouble(at + 8);
            case BOOLEAN:
                return nodes.getLong(at + 8) != 0;
            case ERROR:
                return ServerErrors.reply(new String(bytes(index), StandardCharsets.UTF_8));
            case BIG_NUMBER:
                return new BigInteger(new String(bytes(index), StandardCharsets.US_ASCII));
            case MAP:
                return takePairs(nodes.getInt(at + 4) / 2);
            case ARRAY, SET, PUSH:
                return takeList(nodes.getInt(at + 4));
            default:
                return bytes(index);
        }
    }

    private List<Object> takeList(int count) {
        List<Object> list = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            list.add(take());
        }
        return list;
    }

    private List<Object> takePairs(int count) {
        List<Object> list = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            Object key = take();
            list.add(new KeyValue<>(key, take()));
        }
        return list;
    }
}
