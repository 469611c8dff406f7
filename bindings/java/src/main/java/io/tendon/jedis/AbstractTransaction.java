package io.tendon.jedis;

import java.io.Closeable;
import java.util.List;

/** Commands that the server executes together or not at all. One thread at a time. */
public abstract class AbstractTransaction extends PipeliningBase implements Closeable {
    AbstractTransaction(Core core, Lease lease, CommandKeyArgumentPreProcessor keys) {
        super(core, lease, keys);
    }

    /** Begins, where transaction(false) did not. */
    public abstract void multi();

    /** Before multi: exec does nothing and returns null when one of the keys has changed. */
    public abstract String watch(String... keys);

    /** As watch(String...). */
    public abstract String watch(byte[]... keys);

    /** Forgets the watched keys. */
    public abstract String unwatch();

    /**
     * Executes the commands and lists their results; a server's error is in the list as a
     * JedisDataException. Null when a watched key has changed. A command that the server would not
     * queue fails all: the exception is EXECABORT, with the reasons as suppressed ones.
     */
    public abstract List<Object> exec();

    /** Forgets the commands, and watched keys. */
    public abstract String discard();

    /** Discards when neither exec nor discard was called. */
    @Override
    public abstract void close();
}
