package io.tendon.jedis;

import io.tendon.jedis.util.SafeEncoder;

/** A listener whose channels and messages are text. */
public abstract class JedisShardedPubSub extends JedisShardedPubSubBase<String> {
    @Override
    final String decode(Object raw) {
        return text(raw);
    }

    @Override
    final byte[] encode(String text) {
        return SafeEncoder.encode(text);
    }
}
