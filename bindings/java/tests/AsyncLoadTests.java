package io.tendon.jedis.tests;

import io.tendon.jedis.AsyncJedis;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.exceptions.JedisConnectionException;
import io.tendon.jedis.exceptions.JedisException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/** Thousands of futures at a time: every one ends, with its own answer. */
final class AsyncLoadTests {
    private static final int IN_FLIGHT = 10_000;

    private static long osThreads() throws Exception {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("Threads:"))
                .mapToLong(line -> Long.parseLong(line.substring(8).trim())).findFirst()
                .orElseThrow();
    }

    @Case
    void tenThousandInFlight() throws Exception {
        ProcessHandle server = Servers.expendable();
        var patient = Servers.patient().build();
        try (AsyncJedis client = new AsyncJedis(Servers.address("expendable"), patient)) {
            AsyncFace.await(client.ping());
            long before = osThreads();
            List<CompletableFuture<String>> echoes = new ArrayList<>();
            Servers.signal(server, "STOP");
            try {
                for (int i = 0; i < IN_FLIGHT; i++) {
                    echoes.add(client.echo("value " + i));
                }
                Check.that(echoes.stream().noneMatch(CompletableFuture::isDone), "all in flight");
                long more = osThreads() - before; /* the JVM has its own as well */
                Check.that(more <= 8, more + " threads more");
            } finally {
                Servers.signal(server, "CONT");
            }
            for (int i = 0; i < IN_FLIGHT; i++) {
                Check.equal("value " + i, AsyncFace.await(echoes.get(i)));
            }
        }
    }

    @Case
    void manyThreads() throws Exception {
        ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
        try (AsyncJedis client = AsyncTests.client()) {
            together(32, failures, thread -> {
                for (int round = 0; round < 50; round++) {
                    List<CompletableFuture<String>> echoes = new ArrayList<>();
                    for (int i = 0; i < 40; i++) {
                        echoes.add(client.echo(thread + ":" + round + ":" + i));
                    }
                    for (int i = 0; i < 40; i++) {
                        Check.equal(
                                thread + ":" + round + ":" + i, AsyncFace.await(echoes.get(i)));
                    }
                }
            });
        }
    }

    /** What one thread does. */
    private interface Work {
        void run(int thread) throws Exception;
    }

    private static void together(
            int count, ConcurrentLinkedQueue<Throwable> failures, Work work) throws Exception {
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int number = i;
            Thread thread = new Thread(() -> {
                try {
                    work.run(number);
                } catch (Throwable thrown) {
                    failures.add(thrown);
                }
            });
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        if (!failures.isEmpty()) {
            throw new AssertionError(failures.size() + " threads failed", failures.peek());
        }
    }

    /** Cancelled, timed out and replaced at any moment; the others get their own values. */
    @Case
    void cancelStorm() throws Exception {
        ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
        AtomicInteger early = new AtomicInteger();
        AtomicInteger answered = new AtomicInteger();
        try (AsyncJedis client = AsyncTests.client()) {
            together(8, failures, thread -> {
                Random random = new Random(thread);
                List<CompletableFuture<String>> echoes = new ArrayList<>();
                for (int i = 0; i < 3000; i++) {
                    String word = "storm:" + thread + ":" + i;
                    CompletableFuture<String> echo = client.echo(word);
                    echoes.add(echo);
                    switch (random.nextInt(8)) {
                        case 0 -> echo.cancel(random.nextBoolean());
                        case 1 -> echo.orTimeout(random.nextInt(3), TimeUnit.MILLISECONDS);
                        case 2 -> echo.completeOnTimeout(
                                word, random.nextInt(1000), TimeUnit.MICROSECONDS);
                        case 3 -> echoes.get(random.nextInt(echoes.size())).cancel(false);
                        default -> { }
                    }
                }
                for (int i = 0; i < echoes.size(); i++) {
                    count(echoes.get(i), "storm:" + thread + ":" + i, early, answered);
                }
            });
            Check.that(early.get() > 1000, early + " ended early");
            Check.that(answered.get() > 1000, answered + " were answered");
            Check.equal("after", AsyncFace.await(client.echo("after")));
        }
    }

    private static void count(CompletableFuture<String> echo, String word, AtomicInteger early,
            AtomicInteger answered) throws Exception {
        try {
            Check.equal(word, echo.get(Check.PATIENCE.toSeconds(), TimeUnit.SECONDS));
            answered.incrementAndGet();
        } catch (CancellationException cancelled) {
            early.incrementAndGet();
        } catch (java.util.concurrent.ExecutionException failed) {
            Check.equal(TimeoutException.class, failed.getCause().getClass());
            early.incrementAndGet();
        }
    }

    /** Cancelling ends the command on the server too: nobody takes what comes after. */
    @Case
    void aCancelledCommandIsOver() throws Exception {
        String key = "java:async:cancelled";
        String name = "java-cancelled-" + ProcessHandle.current().pid();
        var named = Servers.patient().clientName(name).build();
        try (AsyncJedis client = new AsyncJedis(Servers.address("standalone"), named);
                Jedis jedis = Servers.jedis()) {
            jedis.del(key);
            CompletableFuture<List<String>> pop = client.blpop(0, key);
            Check.eventually("the server blocks it", () -> blocked(jedis, name));
            Check.equal(true, pop.cancel(true));
            Check.equal(false, pop.cancel(true) && !pop.isCancelled());
            Check.eventually("the server forgets it", () -> !blocked(jedis, name));
            jedis.rpush(key, "kept");
            Check.equal(1L, jedis.llen(key));
            jedis.del(key);
        }
    }

    /** Whether the server blocks a client of this name: other tests have blocked ones as well. */
    private static boolean blocked(Jedis jedis, String name) {
        return jedis.clientList().lines().anyMatch(
                line -> line.contains(" name=" + name + " ") && line.contains(" flags=b "));
    }

    /** Each callback sends the next command; the server is killed and started in between. */
    @Case
    void serverKilledUnderLoad() throws Exception {
        ProcessHandle server = Servers.expendable();
        AtomicBoolean stop = new AtomicBoolean();
        AtomicInteger answered = new AtomicInteger();
        AtomicInteger failed = new AtomicInteger();
        ConcurrentLinkedQueue<String> wrong = new ConcurrentLinkedQueue<>();
        try (AsyncJedis client = new AsyncJedis(
                     Servers.address("expendable"), Servers.config().timeoutMillis(3000).build())) {
            List<CompletableFuture<Void>> ends = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                CompletableFuture<Void> end = new CompletableFuture<>();
                ends.add(end);
                chain(client, i, 0, stop, answered, failed, wrong, end);
            }
            Check.eventually("load", () -> answered.get() > 2000);
            Servers.kill(server);
            Check.eventually("failures", () -> failed.get() > 200);
            Servers.startExpendable();
            int before = answered.get();
            Check.eventually("it answers again", () -> answered.get() > before + 2000);
            stop.set(true);
            for (CompletableFuture<Void> end : ends) {
                AsyncFace.await(end);
            }
        }
        Check.equal(List.of(), List.copyOf(wrong));
    }

    private static void chain(AsyncJedis client, int number, int turn, AtomicBoolean stop,
            AtomicInteger answered, AtomicInteger failed, ConcurrentLinkedQueue<String> wrong,
            CompletableFuture<Void> end) {
        String word = number + ":" + turn;
        client.echo(word).whenComplete((echo, failure) -> {
            if (failure == null) {
                answered.incrementAndGet();
                if (!word.equals(echo)) {
                    wrong.add(word + " got " + echo);
                }
            } else {
                failed.incrementAndGet();
                if (!(failure instanceof JedisConnectionException)) {
                    wrong.add(failure.toString());
                }
            }
            if (stop.get()) {
                end.complete(null);
            } else if (failure == null) {
                chain(client, number, turn + 1, stop, answered, failed, wrong, end);
            } else {
                CompletableFuture.delayedExecutor(5, TimeUnit.MILLISECONDS).execute(
                        () -> chain(client, number, turn + 1, stop, answered, failed, wrong, end));
            }
        });
    }

    @Case
    void closeInFlight() throws Exception {
        for (int round = 0; round < 20; round++) {
            AsyncJedis client = AsyncTests.client();
            AtomicBoolean stop = new AtomicBoolean();
            ConcurrentLinkedQueue<CompletableFuture<?>> all = new ConcurrentLinkedQueue<>();
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                Thread thread = new Thread(() -> {
                    for (int sent = 0; !stop.get() && sent < 20_000; sent++) {
                        all.add(client.echo("x"));
                    }
                });
                thread.start();
                threads.add(thread);
            }
            all.add(client.blpop(0, "java:async:none"));
            Thread.sleep(round);
            client.close();
            client.close();
            stop.set(true);
            for (Thread thread : threads) {
                thread.join();
            }
            for (CompletableFuture<?> one : all) {
                try {
                    one.get(Check.PATIENCE.toSeconds(), TimeUnit.SECONDS);
                } catch (java.util.concurrent.ExecutionException failed) {
                    Check.equal(-4, ((JedisException) failed.getCause()).status());
                    Check.that(((JedisException) failed.getCause()).executed() != null, "told");
                }
            }
            CompletionException late =
                    Check.fails(CompletionException.class, () -> client.ping().join());
            Check.equal(-4, ((JedisException) late.getCause()).status());
        }
        Check.eventually("all threads end", () -> AsyncCallbackTests.threads() == 0);
    }
}
