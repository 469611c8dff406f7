package io.tendon.jedis.tests;

import io.tendon.jedis.AsyncJedis;
import io.tendon.jedis.AsyncPipeline;
import io.tendon.jedis.Builder;
import io.tendon.jedis.CommandArguments;
import io.tendon.jedis.Protocol.Command;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * What callbacks may do: wait, block, throw, close; nothing of it holds up the client. Where one
 * must run on the client's thread, a pipeline attaches it before its command is sent.
 */
final class AsyncCallbackTests {
    @Case
    void callbacksMayWaitForTheSameClient() {
        try (AsyncJedis client = AsyncTests.client()) {
            AsyncPipeline pipeline = client.pipelined();
            CompletableFuture<String> nested = pipeline.ping()
                    .thenApply(one -> client.echo(one + 1).join())
                    .thenApply(two -> client.echo(two + 2).thenApply(x -> x + "!").join())
                    .thenCompose(three -> client.echo(three + 3));
            pipeline.sync();
            Check.equal("PONG12!3", AsyncFace.await(nested));
        }
    }

    @Case
    void everyCallbackWaitsForTheNext() {
        try (AsyncJedis client = AsyncTests.client()) {
            Check.equal("depth 0", AsyncFace.await(deeper(client, 30)));
        }
    }

    private static CompletableFuture<String> deeper(AsyncJedis client, int depth) {
        AsyncPipeline pipeline = client.pipelined();
        CompletableFuture<String> here = pipeline.echo("depth " + depth).thenApply(
                echo -> depth == 0 ? echo : deeper(client, depth - 1).join());
        pipeline.sync();
        return here;
    }

    @Case
    void blockedCallbacksHoldUpNobody() throws Exception {
        try (AsyncJedis client = AsyncTests.client()) {
            CountDownLatch open = new CountDownLatch(1);
            List<CompletableFuture<Boolean>> blocked = new ArrayList<>();
            AsyncPipeline pipeline = client.pipelined();
            for (int i = 0; i < 20; i++) {
                blocked.add(pipeline.ping().thenApply(pong -> await(open)));
            }
            pipeline.sync();
            for (int i = 0; i < 100; i++) {
                Check.equal("e" + i, AsyncFace.await(client.echo("e" + i)));
            }
            Check.that(blocked.stream().noneMatch(CompletableFuture::isDone), "still blocked");
            open.countDown();
            for (CompletableFuture<Boolean> one : blocked) {
                Check.equal(true, AsyncFace.await(one));
            }
            Check.eventually("the threads that took over end", () -> threads() == 1);
            Check.equal("PONG", AsyncFace.await(client.ping()));
        }
    }

    private static boolean await(CountDownLatch latch) {
        try {
            return latch.await(30, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            throw new IllegalStateException(interrupted);
        }
    }

    static long threads() {
        return Thread.getAllStackTraces()
                .keySet()
                .stream()
                .filter(thread -> thread.getName().startsWith("tendon-async"))
                .count();
    }

    /** The callback of one answer of a batch waits for a later answer of the same batch. */
    @Case
    void callbacksMayWaitForWhatComesWithThem() {
        try (AsyncJedis client = AsyncTests.client()) {
            for (int round = 0; round < 20; round++) {
                CompletableFuture<String> second = new CompletableFuture<>();
                AsyncPipeline pipeline = client.pipelined();
                CompletableFuture<String> first = pipeline.ping().thenApply(pong -> second.join());
                pipeline.echo("second").thenAccept(second::complete);
                pipeline.sync();
                Check.equal("second", AsyncFace.await(first));
            }
        }
    }

    @Case
    void whatCallbacksThrowIsTheirs() {
        try (AsyncJedis client = AsyncTests.client()) {
            AsyncPipeline pipeline = client.pipelined();
            CompletableFuture<String> thrown = pipeline.ping().thenApply(pong -> {
                throw new StackOverflowError("mine");
            });
            pipeline.sync();
            Check.fails(AssertionError.class, () -> AsyncFace.await(thrown));
            Builder<String> broken = new Builder<>() {
                @Override
                public String build(Object data) {
                    throw new IllegalStateException("mine");
                }
            };
            Check.fails(IllegalStateException.class,
                    () -> AsyncFace.await(client.executeCommand(
                            new CommandArguments(Command.PING), broken)));
            Check.equal("PONG", AsyncFace.await(client.ping()));
        }
    }

    @Case
    void callbacksMayClose() throws Exception {
        AsyncJedis client = AsyncTests.client();
        AsyncPipeline pipeline = client.pipelined();
        CompletableFuture<Void> closed = pipeline.ping().thenAccept(pong -> client.close());
        pipeline.sync();
        AsyncFace.await(closed);
        Check.eventually("its thread ends", () -> threads() == 0);
    }

    @Case
    void callbacksRunWhereTold() throws Exception {
        ExecutorService executor = Executors.newSingleThreadExecutor(
                task -> new Thread(task, "callbacks of the test"));
        try (AsyncJedis client = AsyncJedis.builder().server(Servers.address("standalone"))
                        .executor(executor).build()) {
            List<CompletableFuture<String>> names = new ArrayList<>();
            AsyncPipeline pipeline = client.pipelined();
            for (int i = 0; i < 200; i++) {
                names.add(pipeline.ping().thenApply(pong -> Thread.currentThread().getName()));
            }
            pipeline.sync();
            for (CompletableFuture<String> name : names) {
                Check.equal("callbacks of the test", AsyncFace.await(name));
            }
            executor.shutdownNow();
            Check.equal("PONG", AsyncFace.await(client.ping()));
        }
    }
}
