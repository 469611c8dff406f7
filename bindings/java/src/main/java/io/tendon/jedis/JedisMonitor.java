package io.tendon.jedis;

import io.tendon.jedis.util.SafeEncoder;

/** What a program does with the commands that a server executes. Slows the server down. */
public abstract class JedisMonitor {
    private volatile boolean stopped;

    /** A command as the server writes it: time, database, client and arguments, all of them. */
    public abstract void onCommand(String command);

    /** The connection was lost, and commands in between were not seen. Only tendon has this. */
    public void onGap(long milliseconds) {
    }

    /** Ends the waiting after the next command, or within a moment. Only tendon has this. */
    public final void stop() {
        stopped = true;
    }

    /** Waits and calls onCommand until stop. */
    final void run(Core core) {
        Subscription.listen(core, new Subscription.Listener() {
            @Override
            public void message(Object raw, boolean again) {
                onCommand(raw instanceof byte[] line ? SafeEncoder.encode(line)
                                                     : String.valueOf(raw));
            }

            @Override
            public void gap(long milliseconds) {
                onGap(milliseconds);
            }

            @Override
            public void answer(Subscription.Command command, Object raw) {
            }

            @Override
            public boolean goesOn() {
                return !stopped;
            }
        }, Protocol.Command.MONITOR);
    }
}
