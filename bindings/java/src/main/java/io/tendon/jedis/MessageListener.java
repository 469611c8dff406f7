package io.tendon.jedis;

import io.tendon.jedis.commands.ProtocolCommand;
import io.tendon.jedis.exceptions.JedisException;
import io.tendon.jedis.util.SafeEncoder;
import java.util.Arrays;
import java.util.List;

/** What listeners of channels have in common: one subscription at a time, and how it is run. */
public abstract class MessageListener<T> {
    private volatile Subscription subscription;
    private volatile int subscribed;
    private volatile boolean over;

    /**
     * The connection was lost and everything is subscribed again; what was published in between is
     * lost. Only tendon has this: Jedis throws a JedisConnectionException instead.
     */
    public void onGap(long milliseconds) {
    }

    public final boolean isSubscribed() {
        return subscribed > 0;
    }

    public final int getSubscribedChannels() {
        return subscribed;
    }

    abstract T decode(Object raw);

    abstract byte[] encode(T text);

    abstract void message(String kind, List<?> parts);

    void pong(Object raw) {
    }

    final void submit(ProtocolCommand command, T[] names) {
        connected().submit(Subscription.Command.LATER, command, bytes(names));
    }

    final void giveUp(ProtocolCommand command) {
        connected().submit(Subscription.Command.ALL_GIVEN_UP, command);
    }

    final void ping(List<T> argument) {
        byte[][] words = argument.stream().map(this::encode).toArray(byte[][]::new);
        connected().submit(Subscription.Command.PING, Protocol.Command.PING, words);
    }

    private byte[][] bytes(T[] names) {
        return Arrays.stream(names).map(this::encode).toArray(byte[][]::new);
    }

    private Subscription connected() {
        Subscription current = subscription;
        if (current == null) {
            throw new JedisException(this + " is not connected to a Connection.");
        }
        return current;
    }

    static int count(List<?> parts) {
        return ((Long) parts.get(2)).intValue();
    }

    static String text(Object raw) {
        return raw == null ? null : SafeEncoder.encode((byte[]) raw);
    }

    /** Subscribes and waits until nothing is subscribed any more. */
    final void run(Core core, ProtocolCommand command, T[] names) {
        synchronized (this) {
            over &= subscription != null;
        }
        Subscription.listen(core, new Runner(), command, bytes(names));
    }

    private synchronized void begin(Subscription opened) {
        if (subscription != null) {
            throw new JedisException(this + " is in use; make another one");
        }
        subscription = opened;
    }

    private synchronized void end(Subscription opened) {
        if (subscription == opened) {
            subscription = null;
            subscribed = 0;
        }
    }

    /** Ends the waiting within a moment, when {@code wanted}. */
    final void stop(boolean wanted) {
        over |= wanted;
    }

    /** Follows the count of what is subscribed. */
    private final class Runner implements Subscription.Listener {
        @Override
        public void opened(Subscription opened) {
            begin(opened);
        }

        @Override
        public void closed(Subscription opened) {
            end(opened);
        }

        @Override
        public void message(Object raw, boolean again) {
            List<?> parts = (List<?>) raw;
            String kind = text(parts.get(0));
            if (kind.endsWith("subscribe")) {
                if (again) {
                    return; /* the program has been told when it asked */
                }
                subscribed = count(parts);
            }
            MessageListener.this.message(kind, parts);
        }

        @Override
        public void gap(long milliseconds) {
            onGap(milliseconds);
        }

        @Override
        public void answer(Subscription.Command command, Object raw) {
            if (command == Subscription.Command.PING) {
                if (raw != null) {
                    pong(raw);
                }
                return;
            }
            if (raw instanceof Long count) {
                subscribed = count.intValue();
            }
            over = raw instanceof Long ? subscribed == 0
                                       : command == Subscription.Command.ALL_GIVEN_UP;
        }

        @Override
        public boolean goesOn() {
            return !over;
        }
    }
}
