package io.tendon.jedis.util;

/** The slot of a key in a cluster. */
public final class JedisClusterCRC16 {
    private static final int POLYNOMIAL = 0x1021;
    private static final int SLOTS = 16384;
    private static final int[] TABLE = table();

    private JedisClusterCRC16() {
    }

    private static int[] table() {
        int[] table = new int[256];
        for (int index = 0; index < table.length; index++) {
            int value = index << 8;
            for (int bit = 0; bit < 8; bit++) {
                value = (value & 0x8000) != 0 ? value << 1 ^ POLYNOMIAL : value << 1;
            }
            table[index] = value & 0xffff;
        }
        return table;
    }

    public static int getSlot(String key) {
        return getSlot(SafeEncoder.encode(key));
    }

    /** Of the part in braces when there is one, of the whole key otherwise. */
    public static int getSlot(byte[] key) {
        int open = indexOf(key, '{', 0);
        int end = open < 0 ? -1 : indexOf(key, '}', open + 1);
        return end > open + 1 ? slotOf(key, open + 1, end) : slotOf(key, 0, key.length);
    }

    private static int indexOf(byte[] key, char wanted, int from) {
        for (int at = from; at < key.length; at++) {
            if (key[at] == wanted) {
                return at;
            }
        }
        return -1;
    }

    private static int slotOf(byte[] key, int from, int to) {
        int crc = 0;
        for (int at = from; at < to; at++) {
            crc = (crc << 8 ^ TABLE[(crc >>> 8 ^ key[at]) & 0xff]) & 0xffff;
        }
        return crc % SLOTS;
    }
}
