package io.tendon.jedis;

import io.tendon.jedis.commands.AsyncCommands;
import io.tendon.jedis.exceptions.JedisDataException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Commands that are kept until sync hands them over together. Not a transaction: each has its own
 * future and outcome. An AsyncJedis batches by itself; this is for programs that want to say when.
 * One thread at a time.
 */
public final class AsyncPipeline implements AsyncCommands, AutoCloseable {
    private final AsyncJedisBase client;
    private List<AsyncCall<?>> queue = new ArrayList<>();

    AsyncPipeline(AsyncJedisBase client) {
        this.client = client;
    }

    @Override
    public <T> CompletableFuture<T> executeCommand(CommandArguments arguments, Builder<T> builder) {
        AsyncCall<T> call = client.call(arguments, builder);
        queue.add(call);
        return call;
    }

    private List<AsyncCall<?>> send() {
        List<AsyncCall<?>> calls = queue;
        queue = new ArrayList<>();
        client.send(calls);
        return calls;
    }

    /** Sends what is kept. Ends when every answer has come; never fails. */
    public CompletableFuture<Void> sync() {
        CompletableFuture<?>[] calls = send().toArray(new CompletableFuture<?>[0]);
        return CompletableFuture.allOf(calls).exceptionally(inTheFutures -> null);
    }

    /**
     * As sync, with all results in order; a server's error is in the list as a JedisDataException.
     * Fails with the first failure of another kind.
     */
    public CompletableFuture<List<Object>> syncAndReturnAll() {
        List<AsyncCall<?>> calls = send();
        return CompletableFuture.allOf(calls.toArray(new CompletableFuture<?>[0]))
                .handle((ignored, failure) -> {
                    List<Object> results = new ArrayList<>(calls.size());
                    calls.forEach(call -> results.add(resultOrError(call)));
                    return results;
                });
    }

    private static Object resultOrError(CompletableFuture<?> ended) {
        try {
            return ended.join();
        } catch (CompletionException failure) {
            if (failure.getCause() instanceof JedisDataException error) {
                return error;
            }
            throw failure;
        }
    }

    /** Number of commands kept. */
    public int size() {
        return queue.size();
    }

    /** Sends what is kept. Does not wait. */
    @Override
    public void close() {
        send();
    }
}
