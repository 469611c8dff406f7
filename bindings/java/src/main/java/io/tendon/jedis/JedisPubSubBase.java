package io.tendon.jedis;

import io.tendon.jedis.exceptions.JedisException;
import java.util.List;

/**
 * What a program does with messages, and how it subscribes and unsubscribes while the client waits
 * for them. The on… methods run on the thread that subscribed; the others may be called by any.
 */
public abstract class JedisPubSubBase<T> extends MessageListener<T> {
    /** A message of a channel. */
    public void onMessage(T channel, T message) {
    }

    /** A message of a channel that fits a pattern. */
    public void onPMessage(T pattern, T channel, T message) {
    }

    /** Subscribed; {@code subscribedChannels} counts channels and patterns. */
    public void onSubscribe(T channel, int subscribedChannels) {
    }

    public void onUnsubscribe(T channel, int subscribedChannels) {
    }

    public void onPSubscribe(T pattern, int subscribedChannels) {
    }

    public void onPUnsubscribe(T pattern, int subscribedChannels) {
    }

    /** The answer to ping. */
    public void onPong(T message) {
    }

    @SafeVarargs
    @SuppressWarnings("varargs") /* read only */
    public final void subscribe(T... channels) {
        submit(Protocol.Command.SUBSCRIBE, channels);
    }

    @SafeVarargs
    @SuppressWarnings("varargs") /* read only */
    public final void psubscribe(T... patterns) {
        submit(Protocol.Command.PSUBSCRIBE, patterns);
    }

    /** From all channels. When nothing is left subscribed, the waiting ends. */
    public final void unsubscribe() {
        giveUp(Protocol.Command.UNSUBSCRIBE);
    }

    @SafeVarargs
    @SuppressWarnings("varargs") /* read only */
    public final void unsubscribe(T... channels) {
        submit(Protocol.Command.UNSUBSCRIBE, channels);
    }

    /** From all patterns. When nothing is left subscribed, the waiting ends. */
    public final void punsubscribe() {
        giveUp(Protocol.Command.PUNSUBSCRIBE);
    }

    @SafeVarargs
    @SuppressWarnings("varargs") /* read only */
    public final void punsubscribe(T... patterns) {
        submit(Protocol.Command.PUNSUBSCRIBE, patterns);
    }

    /** Asks the server for a sign of life, which comes to onPong. */
    public final void ping() {
        ping(List.of());
    }

    public final void ping(T argument) {
        ping(List.of(argument));
    }

    @Override
    void message(String kind, List<?> parts, boolean again) {
        switch (kind) {
            case "message" -> onMessage(decode(parts.get(1)), decode(parts.get(2)));
            case "pmessage" -> onPMessage(
                    decode(parts.get(1)), decode(parts.get(2)), decode(parts.get(3)));
            default -> confirmed(kind, decode(parts.get(1)), count(parts), again);
        }
    }

    private void confirmed(String kind, T name, int count, boolean again) {
        if (again) {
            return; /* the program has been told when it asked */
        }
        switch (kind) {
            case "subscribe" -> onSubscribe(name, count);
            case "unsubscribe" -> onUnsubscribe(name, count);
            case "psubscribe" -> onPSubscribe(name, count);
            case "punsubscribe" -> onPUnsubscribe(name, count);
            default -> throw new JedisException("Unknown message type: " + kind);
        }
    }

    @Override
    void pong(Object raw) {
        Object text = raw instanceof List<?> parts ? parts.get(parts.size() - 1) : raw;
        onPong(decode(text));
    }
}
