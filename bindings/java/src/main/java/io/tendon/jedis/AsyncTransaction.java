package io.tendon.jedis;

import io.tendon.jedis.commands.AsyncCommands;
import io.tendon.jedis.exceptions.JedisDataException;
import io.tendon.jedis.exceptions.JedisException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;

/**
 * Commands that the server executes together or not at all. They are kept here and sent between
 * MULTI and EXEC in one piece by exec. One of AsyncJedis.multi() needs no connection of its own;
 * one of transaction(false) has it, and can watch keys before multi. One thread at a time.
 */
public final class AsyncTransaction implements AsyncCommands, AutoCloseable {
    private static final int FIRST_ANSWERS = 1; /* MULTI's */

    private final AsyncJedisBase client;
    private final List<AsyncCall<?>> queue = new ArrayList<>();
    private final List<AsyncCall<?>> steps = new ArrayList<>();
    private final Lease lease; /* null: none is needed */
    private boolean open;
    private boolean watching;
    private boolean ended;

    AsyncTransaction(AsyncJedisBase client) {
        this(client, null, true);
    }

    AsyncTransaction(AsyncJedisBase client, Lease lease, boolean open) {
        this.client = client;
        this.lease = lease;
        this.open = open;
    }

    /** Keeps a command; its future ends after exec or discard. Before multi, sends it. */
    @Override
    public <T> CompletableFuture<T> executeCommand(CommandArguments arguments, Builder<T> builder) {
        checkOpen();
        AsyncCall<T> call = client.call(arguments, builder);
        if (open) {
            queue.add(call);
        } else {
            send(List.of(leased(call)));
        }
        return call;
    }

    /** Begins, where transaction(false) did not. */
    public void multi() {
        checkOpen();
        open = true;
    }

    /** Before multi: exec does nothing and brings null when one of the keys has changed. */
    public CompletableFuture<String> watch(String... keys) {
        return watch(new CommandArguments(Protocol.Command.WATCH).keys(keys));
    }

    /** As watch(String...). */
    public CompletableFuture<String> watch(byte[]... keys) {
        return watch(new CommandArguments(Protocol.Command.WATCH).keys(keys));
    }

    private CompletableFuture<String> watch(CommandArguments arguments) {
        checkOpen();
        if (open || lease == null) {
            throw new IllegalStateException(
                    "WATCH after MULTI; use transaction(false), watch, then multi");
        }
        watching = true;
        return executeCommand(arguments, BuilderFactory.STRING);
    }

    /** Forgets the watched keys. */
    public CompletableFuture<String> unwatch() {
        if (!watching) {
            return CompletableFuture.completedFuture("OK");
        }
        watching = false;
        AsyncCall<String> call = client.call(
                new CommandArguments(Protocol.Command.UNWATCH), BuilderFactory.STRING);
        send(List.of(leased(call)));
        return call;
    }

    /** On the connection of this; which stays until the outcome is there. */
    private <T> AsyncCall<T> leased(AsyncCall<T> call) {
        if (lease != null) {
            call.lease = lease.enter();
            call.whenComplete((result, failure) -> {
                if (failure instanceof JedisException cause && cause.failure() != null
                        && cause.failure().breaksConnection()) {
                    lease.markBroken();
                }
                lease.engine().driver().leave(lease);
            });
        }
        return call;
    }

    private void send(List<AsyncCall<?>> calls) {
        if (lease == null) {
            client.send(calls);
        } else {
            lease.engine().driver().send(calls);
        }
    }

    private void end() {
        ended = true;
        if (lease != null) {
            lease.close();
        }
    }

    private void checkOpen() {
        if (ended) {
            throw new IllegalStateException("This transaction has ended; begin another one");
        }
    }

    /**
     * Executes the commands. The list has their results in order, a server's error as a
     * JedisDataException; it is null when a watched key has changed. A command that the server
     * would not queue fails all: the exception is EXECABORT, with the reasons as suppressed ones.
     * Cancelling this future cancels all.
     */
    public CompletableFuture<List<Object>> exec() {
        checkOpen();
        if (!open) {
            throw new IllegalStateException("EXEC without MULTI");
        }
        AsyncCall<List<Object>> exec =
                leased(client.exec(BuilderFactory.of(this::results), this::failAll));
        steps.add(step(exec, new CommandArguments(Protocol.Command.MULTI)));
        queue.forEach(call -> steps.add(step(exec, call.arguments)));
        exec.flags = Pending.ATOMIC | Pending.ATOMIC_END;
        List<AsyncCall<?>> all = new ArrayList<>(steps);
        all.add(exec);
        send(all);
        watching = false;
        end();
        return exec;
    }

    private AsyncCall<Object> step(AsyncCall<?> exec, CommandArguments arguments) {
        AsyncCall<Object> step = client.step(exec, arguments);
        step.lease = exec.lease; /* which exec keeps for all */
        step.flags = Pending.ATOMIC;
        return step;
    }

    private List<Object> results(Object raw) {
        if (raw == null) {
            Throwable told = new JedisDataException(
                    "Nothing was executed: a watched key has changed since watch; begin again");
            queue.forEach(call -> call.settleBuilt(told));
            return null;
        }
        List<?> answers = (List<?>) raw;
        if (answers.size() != queue.size()) {
            throw new JedisDataException("EXEC answered " + answers.size() + " results to "
                    + queue.size()
                    + " commands; do not send MULTI, EXEC or DISCARD as commands of a transaction");
        }
        List<Object> results = new ArrayList<>(answers.size());
        for (int i = 0; i < answers.size(); i++) {
            Object result = queue.get(i).build(answers.get(i));
            results.add(result);
            queue.get(i).settleBuilt(result);
        }
        return results;
    }

    private void failAll(Throwable failure) {
        Throwable told = failure == null ? new CancellationException() : failure;
        for (AsyncCall<?> step : steps.subList(FIRST_ANSWERS, steps.size())) {
            Throwable reason = step.failure();
            if (told instanceof JedisDataException && reason instanceof JedisDataException
                    && reason != told) {
                told.addSuppressed(reason);
            }
        }
        queue.forEach(call -> call.settleBuilt(told));
    }

    /** Forgets the commands; their futures are cancelled. */
    public void discard() {
        checkOpen();
        queue.forEach(call -> call.cancel(false));
        unwatch();
        end();
    }

    /** Discards unless exec was called. */
    @Override
    public void close() {
        if (!ended) {
            discard();
        }
    }
}
