package io.tendon.jedis;

/** A listener whose channels and messages are bytes. */
public abstract class BinaryJedisShardedPubSub extends JedisShardedPubSubBase<byte[]> {
    @Override
    final byte[] decode(Object raw) {
        return (byte[]) raw;
    }

    @Override
    final byte[] encode(byte[] bytes) {
        return bytes;
    }
}
