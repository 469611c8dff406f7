package io.tendon.jedis;

import io.tendon.jedis.exceptions.JedisException;
import java.util.List;

/** As JedisPubSubBase, for channels that belong to the slot of their name. */
public abstract class JedisShardedPubSubBase<T> extends MessageListener<T> {
    /** A message of a channel. */
    public void onSMessage(T channel, T message) {
    }

    public void onSSubscribe(T channel, int subscribedChannels) {
    }

    public void onSUnsubscribe(T channel, int subscribedChannels) {
    }

    @SafeVarargs
    @SuppressWarnings("varargs") /* read only */
    public final void ssubscribe(T... channels) {
        submit(Protocol.Command.SSUBSCRIBE, channels);
    }

    /** From all channels; the waiting ends. */
    public final void sunsubscribe() {
        giveUp(Protocol.Command.SUNSUBSCRIBE);
    }

    @SafeVarargs
    @SuppressWarnings("varargs") /* read only */
    public final void sunsubscribe(T... channels) {
        submit(Protocol.Command.SUNSUBSCRIBE, channels);
    }

    @Override
    void message(String kind, List<?> parts, boolean again) {
        T channel = decode(parts.get(1));
        switch (kind) {
            case "smessage" -> onSMessage(channel, decode(parts.get(2)));
            case "ssubscribe" -> {
                if (!again) {
                    onSSubscribe(channel, count(parts));
                }
            }
            case "sunsubscribe" -> {
                if (!again) {
                    onSUnsubscribe(channel, count(parts));
                }
            }
            default -> throw new JedisException("Unknown message type: " + kind);
        }
    }
}
