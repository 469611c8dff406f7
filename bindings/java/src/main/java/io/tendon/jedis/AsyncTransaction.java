package io.tendon.jedis;

import io.tendon.jedis.commands.AsyncCommands;
import io.tendon.jedis.exceptions.JedisDataException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;

/**
 * Commands that the server executes together or not at all. They are kept here and sent between
 * MULTI and EXEC in one piece by exec, without a connection of their own; so there is no WATCH. One
 * thread at a time.
 */
public final class AsyncTransaction implements AsyncCommands, AutoCloseable {
    private static final int FIRST_ANSWERS = 1; /* MULTI's */

    private final AsyncJedis client;
    private final List<AsyncCall<?>> queue = new ArrayList<>();
    private final List<AsyncCall<?>> steps = new ArrayList<>();
    private boolean ended;

    AsyncTransaction(AsyncJedis client) {
        this.client = client;
    }

    /** Keeps a command; its future ends after exec or discard. */
    @Override
    public <T> CompletableFuture<T> executeCommand(CommandArguments arguments, Builder<T> builder) {
        checkOpen();
        AsyncCall<T> call = client.call(arguments, builder);
        queue.add(call);
        return call;
    }

    private void checkOpen() {
        if (ended) {
            throw new IllegalStateException("This transaction has ended; begin another one");
        }
    }

    /**
     * Executes the commands. The list has their results in order, a server's error as a
     * JedisDataException. A command that the server would not queue fails all: the exception is
     * EXECABORT, with the reasons as suppressed ones. Cancelling this future cancels all.
     */
    public CompletableFuture<List<Object>> exec() {
        checkOpen();
        ended = true;
        AsyncCall<List<Object>> exec =
                client.exec(BuilderFactory.of(this::results), this::failAll);
        steps.add(step(exec, new CommandArguments(Protocol.Command.MULTI)));
        queue.forEach(call -> steps.add(step(exec, call.arguments)));
        exec.flags = Pending.ATOMIC | Pending.ATOMIC_END;
        List<AsyncCall<?>> all = new ArrayList<>(steps);
        all.add(exec);
        client.send(all);
        return exec;
    }

    private AsyncCall<Object> step(AsyncCall<?> exec, CommandArguments arguments) {
        AsyncCall<Object> step = client.step(exec, arguments);
        step.flags = Pending.ATOMIC;
        return step;
    }

    private List<Object> results(Object raw) {
        List<?> answers = raw == null ? List.of() : (List<?>) raw;
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
        ended = true;
        queue.forEach(call -> call.cancel(false));
    }

    /** Discards unless exec was called. */
    @Override
    public void close() {
        if (!ended) {
            discard();
        }
    }
}
