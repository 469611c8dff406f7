package io.tendon.jedis;

import io.tendon.jedis.exceptions.JedisDataException;
import io.tendon.jedis.exceptions.JedisException;
import java.util.ArrayList;
import java.util.List;

/**
 * The transaction of every client. Its commands are kept here and sent between MULTI and EXEC in
 * one piece by exec; so nothing is on the server's side before.
 */
public class Transaction extends AbstractTransaction {
    /** An answer to MULTI, to EXEC, or "QUEUED" to a command. */
    private static final class Step extends Pending {
        private Object raw;

        Step(CommandArguments arguments) {
            super(arguments);
            flags = Pending.ATOMIC;
        }

        @Override
        void answered(Object reply) {
            raw = reply;
            failure = null;
        }
    }

    private final Runnable afterwards;
    private final List<Response<?>> queue = new ArrayList<>();
    private boolean open;
    private boolean watching;
    private boolean ended;

    /**
     * {@code lease} may be null when no WATCH came before. {@code afterwards} runs once, when it
     * has ended.
     */
    Transaction(Core core, Lease lease, CommandKeyArgumentPreProcessor keys, boolean open,
            Runnable afterwards) {
        super(core, lease, keys);
        this.open = open;
        this.afterwards = afterwards;
    }

    @Override
    public final void multi() {
        checkGoesOn();
        open = true;
    }

    private void checkGoesOn() {
        if (ended) {
            throw new IllegalStateException("This transaction has ended; begin another one");
        }
    }

    @Override
    public String watch(String... keys) {
        return watch(new CommandArguments(Protocol.Command.WATCH).keys(keys));
    }

    @Override
    public String watch(byte[]... keys) {
        return watch(new CommandArguments(Protocol.Command.WATCH).keys(keys));
    }

    private String watch(CommandArguments arguments) {
        if (open || lease == null) {
            throw new IllegalStateException(
                    "WATCH after MULTI; use transaction(false), watch, then multi");
        }
        watching = true;
        return core.call(lease, processed(arguments), BuilderFactory.STRING);
    }

    @Override
    public String unwatch() {
        watching = false;
        return lease == null ? "OK"
                             : core.call(lease, new CommandArguments(Protocol.Command.UNWATCH),
                                     BuilderFactory.STRING);
    }

    /** Queues a command; before multi, sends it, and the Response is there at once. */
    @Override
    public <T> Response<T> executeCommand(CommandArguments arguments, Builder<T> builder) {
        checkGoesOn();
        Response<T> response = response(arguments, builder);
        if (open) {
            queue.add(response);
        } else {
            core.batch(lease, List.of(response));
        }
        return response;
    }

    @Override
    public List<Object> exec() {
        if (!open) {
            throw new IllegalStateException("EXEC without MULTI");
        }
        List<Step> steps = new ArrayList<>(queue.size() + 2);
        steps.add(new Step(new CommandArguments(Protocol.Command.MULTI)));
        queue.forEach(response -> steps.add(new Step(response.arguments)));
        steps.add(new Step(new CommandArguments(Protocol.Command.EXEC)));
        steps.get(steps.size() - 1).flags |= Pending.ATOMIC_END;
        try {
            core.batch(lease, steps);
            return results(steps);
        } catch (JedisException exception) {
            queue.forEach(response -> response.failed(exception));
            throw exception;
        } finally {
            watching = false;
            end();
        }
    }

    private List<Object> results(List<Step> steps) {
        Step exec = steps.get(steps.size() - 1);
        if (exec.failure != null) {
            throw exec.failure;
        }
        if (exec.raw instanceof JedisDataException error) {
            addReasons(error, steps);
            throw error;
        }
        if (exec.raw == null) {
            return null;
        }
        List<?> raw = (List<?>) exec.raw;
        if (raw.size() != queue.size()) {
            throw new JedisDataException("EXEC answered " + raw.size() + " results to "
                    + queue.size()
                    + " commands; do not send MULTI, EXEC or DISCARD as commands of a transaction");
        }
        List<Object> results = new ArrayList<>(raw.size());
        for (int i = 0; i < raw.size(); i++) {
            queue.get(i).answered(raw.get(i));
            results.add(queue.get(i).resultOrError());
        }
        return results;
    }

    private static void addReasons(JedisDataException error, List<Step> steps) {
        for (Step step : steps) {
            if (step.raw instanceof JedisDataException reason && reason != error) {
                error.addSuppressed(reason);
            }
        }
    }

    @Override
    public String discard() {
        if (!open) {
            throw new IllegalStateException("DISCARD without MULTI");
        }
        try {
            return unwatch();
        } finally {
            end();
        }
    }

    /** As close. */
    public final void clear() {
        close();
    }

    private void end() {
        open = false;
        queue.clear();
        if (!ended) {
            ended = true;
            afterwards.run();
        }
    }

    @Override
    public final void close() {
        try {
            if (!ended && watching) {
                unwatch();
            }
        } finally {
            end();
        }
    }
}
