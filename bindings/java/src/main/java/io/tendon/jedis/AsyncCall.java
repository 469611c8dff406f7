package io.tendon.jedis;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * One command and the future of its answer. A program that completes it, by cancel, orTimeout or in
 * any other way, ends the command: what is not sent yet is not sent, and an answer that still comes
 * is dropped.
 */
class AsyncCall<T> extends CompletableFuture<T> {
    private final Builder<T> builder;
    /** Which it was handed over to; null before. */
    volatile Driver driver;
    /** What must not be collected while this is under way: the client, which would close. */
    private Object owner;

    /* The driver's, guarded by its lock once the call has been handed over. */
    CommandArguments arguments;
    AsyncCall<?> next;
    int flags;
    int slot;
    long lease;
    long id;

    AsyncCall(Object owner, CommandArguments arguments, Builder<T> builder) {
        if (arguments == null || builder == null) {
            throw new IllegalArgumentException("a command needs arguments and a builder");
        }
        this.owner = owner;
        this.arguments = arguments.freeze();
        this.builder = builder;
    }

    /** Whether nobody wants the answer any more. */
    boolean isAbandoned() {
        return isDone();
    }

    /** What is kept of a reply before it is gone: the result, or what settle makes it of. */
    final Object read(Reply reply) {
        return builder.readsInPlace() && reply.type() != Reply.ERROR ? builder.read(reply)
                                                                     : reply.object();
    }

    /** Completes this with what read returned, or with an exception. Runs code of the program's. */
    final void settle(Object outcome) {
        settleBuilt(builder.readsInPlace() ? outcome : build(outcome));
    }

    /** The result of a raw reply, or an exception. */
    final Object build(Object raw) {
        try {
            return raw instanceof Throwable ? raw : builder.build(raw);
        } catch (Throwable failure) { /* a Builder may be the program's */
            return failure;
        }
    }

    /** Completes this with the result or an exception. */
    @SuppressWarnings("unchecked")
    final void settleBuilt(Object result) {
        if (result instanceof Throwable failure) {
            if (!isDone()) {
                beforeFailure(failure);
            }
            super.completeExceptionally(failure);
        } else {
            super.complete((T) result);
        }
        owner = null;
    }

    /** When settle itself has failed. */
    final void abort(Throwable failure) {
        super.completeExceptionally(failure);
    }

    /** For what depends on this; {@code failure} is null when the program completed it. */
    void beforeFailure(Throwable failure) {
    }

    /** Why this has failed, or null. */
    final Throwable failure() {
        try {
            getNow(null);
            return null;
        } catch (CompletionException failed) {
            return failed.getCause();
        } catch (CancellationException cancelled) {
            return cancelled;
        }
    }

    @Override
    public boolean complete(T value) {
        return abandon(super.complete(value));
    }

    @Override
    public boolean completeExceptionally(Throwable failure) {
        return abandon(super.completeExceptionally(failure));
    }

    @Override
    public boolean cancel(boolean mayInterruptIfRunning) {
        abandon(super.cancel(mayInterruptIfRunning));
        return isCancelled();
    }

    private boolean abandon(boolean changed) {
        if (changed) {
            beforeFailure(failure());
            Driver sender = driver;
            if (sender != null) {
                sender.cancel(this);
            }
        }
        return changed;
    }

    private void beforeWait() {
        Driver sender = driver;
        if (sender != null) {
            sender.beforeWait(this);
        }
    }

    @Override
    public T join() {
        beforeWait();
        return super.join();
    }

    @Override
    public T get() throws InterruptedException, ExecutionException {
        beforeWait();
        return super.get();
    }

    @Override
    public T get(long timeout, TimeUnit unit)
            throws InterruptedException, ExecutionException, TimeoutException {
        beforeWait();
        return super.get(timeout, unit);
    }
}
