package io.tendon.jedis.tests;

import io.tendon.jedis.AsyncJedis;
import io.tendon.jedis.Jedis;
import java.io.File;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Clients that nobody closes, and JVMs that end in the middle. */
final class AsyncLifecycleTests {
    @Case
    void forgottenClientsAreClosedByTheCollector() throws Exception {
        String name = "java-async-forgotten-" + ProcessHandle.current().pid();
        try (Jedis watcher = Servers.jedis()) {
            for (int i = 0; i < 5; i++) {
                AsyncFace.await(new AsyncJedis(Servers.address("standalone"),
                        Servers.config().clientName(name).build()).ping());
            }
            Check.eventually("connections and threads end", () -> {
                System.gc();
                return !watcher.clientList().contains(name) && AsyncCallbackTests.threads() == 0;
            });
        }
    }

    @Case
    void aClientInUseIsNotForgotten() throws Exception {
        CompletableFuture<List<String>> pop = AsyncTests.client().blpop(1, "java:async:none");
        while (!pop.isDone()) {
            System.gc();
            Thread.sleep(20);
        }
        Check.equal(null, AsyncFace.await(pop));
    }

    /** What was sent last refers to its client, and the client's thread to what was sent last. */
    @Case
    void aTransactionDoesNotKeepItsClient() throws Exception {
        WeakReference<AsyncJedis> client = new WeakReference<>(usedInATransaction());
        Check.eventually("the client is collected", () -> {
            System.gc();
            return client.get() == null;
        });
    }

    private static AsyncJedis usedInATransaction() throws Exception {
        AsyncJedis client = AsyncTests.client();
        try (client) {
            var transaction = client.multi();
            transaction.get("java:async:none");
            AsyncFace.await(transaction.exec());
        }
        return client;
    }

    /** The program of the child processes below. */
    static final class Child {
        private Child() {
        }

        public static void main(String[] arguments) throws Exception {
            List<CompletableFuture<?>> kept = new ArrayList<>();
            var tls = Servers.patient().sslOptions(Servers.trust().build()).build();
            AsyncJedis plain = AsyncTests.client();
            AsyncJedis secure = new AsyncJedis(Servers.address("tls"), tls);
            kept.add(plain.blpop(0, "java:async:none"));
            for (int i = 0; i < 2000; i++) {
                again(plain);
                again(secure);
            }
            plain.ping().get(Check.PATIENCE.toSeconds(), TimeUnit.SECONDS);
            secure.ping().get(Check.PATIENCE.toSeconds(), TimeUnit.SECONDS);
            if (arguments[0].equals("exit")) {
                System.exit(3);
            }
        }

        private static void again(AsyncJedis client) {
            client.echo("x").thenRun(() -> again(client));
        }
    }

    private static int run(String how) throws Exception {
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        Process child = new ProcessBuilder(java, "-Xcheck:jni", "-Xmx256m", "-cp",
                System.getProperty("java.class.path"), Child.class.getName(), how)
                                .redirectErrorStream(true).redirectOutput(new File("/dev/null"))
                                .start();
        if (!child.waitFor(Check.PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
            child.destroyForcibly();
            throw new AssertionError("the JVM does not end by itself");
        }
        return child.exitValue();
    }

    @Case
    void theJvmEndsWithoutClose() throws Exception {
        Check.equal(0, run("return"));
    }

    @Case
    void theJvmExitsUnderLoad() throws Exception {
        for (int i = 0; i < 3; i++) {
            Check.equal(3, run("exit"));
        }
    }
}
