package conformance;

import io.tendon.jedis.BinaryJedisPubSub;
import io.tendon.jedis.BinaryJedisShardedPubSub;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A subscription of a program, made of two: Jedis has one type of listener for channels and
 * patterns, and one for sharded channels. Either begins with its first name and ends with its last.
 */
final class Subscriber {
    private final Client client;
    private final LinkedBlockingQueue<List<Object>> messages = new LinkedBlockingQueue<>();
    private final Set<String> unconfirmed = new HashSet<>(); /* kind and name */
    private final Half plain = new Half();
    private final Half sharded = new Half();
    private Listener listener;
    private ShardedListener shardedListener;

    /** What is subscribed with one listener, and when that ends. */
    private static final class Half {
        final Set<String> names = new HashSet<>();
        CompletableFuture<Void> end = CompletableFuture.completedFuture(null);

        boolean has(String kind) {
            return names.stream().anyMatch(name -> name.startsWith(kind));
        }
    }

    Subscriber(Client client) {
        this.client = client;
    }

    /** Returns when the server has confirmed each. */
    void subscribe(String kind, byte[][] names) throws Exception {
        Half half = half(kind);
        expect(kind, names);
        if (half.end.isDone()) {
            half.names.clear();
            half.end = begin(kind, names);
            half.end.whenComplete((nothing, failure) -> wake());
        } else {
            switch (kind) {
                case "channel" -> listener.subscribe(names);
                case "pattern" -> listener.psubscribe(names);
                default -> shardedListener.ssubscribe(names);
            }
        }
        awaitConfirmations(half);
        half.names.addAll(named(kind, names));
    }

    private CompletableFuture<Void> begin(String kind, byte[][] names) {
        switch (kind) {
            case "channel":
                listener = new Listener();
                return client.subscribe(listener, names);
            case "pattern":
                listener = new Listener();
                return client.psubscribe(listener, names);
            default:
                shardedListener = new ShardedListener();
                return client.ssubscribe(shardedListener, names);
        }
    }

    /** Returns when the server has confirmed each; where nothing is subscribed, at once. */
    void unsubscribe(String kind, byte[][] names) throws Exception {
        Half half = half(kind);
        if (half.names.isEmpty()) {
            return;
        }
        expect(kind, names);
        switch (kind) {
            case "channel" -> listener.unsubscribe(names);
            case "pattern" -> listener.punsubscribe(names);
            default -> shardedListener.sunsubscribe(names);
        }
        awaitConfirmations(half);
        named(kind, names).forEach(half.names::remove);
        if (half.names.isEmpty()) {
            awaitEnd(half);
        }
    }

    /** The next message; null when there is none in time. Throws why the subscription has ended. */
    Object poll(long milliseconds) throws Exception {
        Object message = messages.poll(milliseconds, TimeUnit.MILLISECONDS);
        for (Half half : List.of(plain, sharded)) {
            if (message == null && half.end.isCompletedExceptionally()) {
                Waiting.outcome(half.end);
            }
        }
        return message;
    }

    /** From everything. */
    void close() throws Exception {
        if (plain.has("channel")) {
            listener.unsubscribe();
        }
        if (plain.has("pattern")) {
            listener.punsubscribe();
        }
        if (sharded.has("sharded")) {
            shardedListener.sunsubscribe();
        }
        awaitEnd(plain);
        awaitEnd(sharded);
    }

    private Half half(String kind) {
        return kind.equals("sharded") ? sharded : plain;
    }

    private static List<String> named(String kind, byte[]... names) {
        return Arrays.stream(names)
                .map(name -> kind + new String(name, Frames.BYTES)).toList();
    }

    private synchronized void expect(String kind, byte[][] names) {
        unconfirmed.clear();
        unconfirmed.addAll(named(kind, names));
    }

    private synchronized void confirmed(String kind, byte[] name) {
        if (name != null) { /* null: there was nothing to unsubscribe */
            unconfirmed.removeAll(named(kind, name));
        }
        notifyAll();
    }

    private synchronized void wake() {
        notifyAll();
    }

    private synchronized void awaitConfirmations(Half half) throws Exception {
        long end = System.currentTimeMillis() + Waiting.PATIENCE_MS;
        while (!unconfirmed.isEmpty() && !half.end.isDone()) {
            long left = end - System.currentTimeMillis();
            if (left <= 0) {
                throw new Broken("not confirmed in time: " + unconfirmed);
            }
            wait(left);
        }
        if (half.end.isCompletedExceptionally()) {
            awaitEnd(half);
        }
    }

    /** Throws why it has ended, once. */
    private void awaitEnd(Half half) throws Exception {
        CompletableFuture<Void> end = half.end;
        half.names.clear();
        half.end = CompletableFuture.completedFuture(null);
        Waiting.patiently(end, "the end of a subscription");
    }

    private void came(Object... parts) {
        messages.add(Arrays.asList(parts));
    }

    /** Tells what happens on channels and patterns. */
    private final class Listener extends BinaryJedisPubSub {
        @Override
        public void onMessage(byte[] channel, byte[] data) {
            came("message", null, channel, data);
        }

        @Override
        public void onPMessage(byte[] pattern, byte[] channel, byte[] data) {
            came("pmessage", pattern, channel, data);
        }

        @Override
        public void onSubscribe(byte[] channel, int count) {
            confirmed("channel", channel);
        }

        @Override
        public void onUnsubscribe(byte[] channel, int count) {
            confirmed("channel", channel);
        }

        @Override
        public void onPSubscribe(byte[] pattern, int count) {
            confirmed("pattern", pattern);
        }

        @Override
        public void onPUnsubscribe(byte[] pattern, int count) {
            confirmed("pattern", pattern);
        }
    }

    /** Tells what happens on sharded channels. */
    private final class ShardedListener extends BinaryJedisShardedPubSub {
        @Override
        public void onSMessage(byte[] channel, byte[] data) {
            came("smessage", null, channel, data);
        }

        @Override
        public void onSSubscribe(byte[] channel, int count) {
            confirmed("sharded", channel);
        }

        @Override
        public void onSUnsubscribe(byte[] channel, int count) {
            confirmed("sharded", channel);
        }
    }
}
