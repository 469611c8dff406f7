package io.tendon.jedis.tests;

import io.tendon.jedis.AsyncJedis;
import io.tendon.jedis.AsyncPipeline;
import io.tendon.jedis.AsyncTransaction;
import io.tendon.jedis.CommandArguments;
import io.tendon.jedis.Builder;
import io.tendon.jedis.HostAndPort;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.Protocol.Command;
import io.tendon.jedis.exceptions.Executed;
import io.tendon.jedis.exceptions.JedisAccessControlException;
import io.tendon.jedis.exceptions.JedisConnectionException;
import io.tendon.jedis.exceptions.JedisDataException;
import io.tendon.jedis.exceptions.JedisException;
import io.tendon.jedis.exceptions.JedisValidationException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;

/**
 * Futures one at a time: values, errors, pipelines, transactions. All commands: CommandTests.
 */
final class AsyncTests {
    private static final String P = "java:async:";

    static AsyncJedis client() {
        return new AsyncJedis(Servers.address("standalone"), Servers.patient().build());
    }

    @Case
    void bytesOfEverySize() {
        try (AsyncJedis client = client()) {
            List<CompletableFuture<byte[]>> gets = new ArrayList<>();
            int[] sizes = {0, 1, 100, 8000, 8192, 40_000, 262_144, 1 << 20, 5_000_000};
            for (int size : sizes) {
                byte[] key = (P + "size\0\r\n" + size).getBytes();
                client.psetex(key, 60_000, value(size));
                gets.add(client.get(key));
                client.del(key);
            }
            for (int i = 0; i < sizes.length; i++) {
                byte[] got = AsyncFace.await(gets.get(i));
                Check.that(Arrays.equals(value(sizes[i]), got), sizes[i] + " bytes come back");
            }
        }
    }

    private static byte[] value(int size) {
        byte[] value = new byte[size];
        for (int i = 0; i < size; i++) {
            value[i] = (byte) (i * 31 + size);
        }
        return value;
    }

    @Case
    void failuresAreTheOnesOfTheBlockingClients() {
        try (AsyncJedis client = client()) {
            AsyncFace.await(client.set(P + "text", "x"));
            JedisDataException wrong = Check.fails(
                    JedisDataException.class, () -> AsyncFace.await(client.lpush(P + "text", "y")));
            Check.equal("WRONGTYPE", wrong.prefix());
            Check.fails(NullPointerException.class, () -> client.get((String) null));
            CommandArguments sent = new CommandArguments(Command.PING);
            Check.fails(IllegalArgumentException.class, () -> client.executeCommand(sent, null));
            Check.fails(IllegalArgumentException.class,
                    () -> client.executeCommand((CommandArguments) null));
            Check.equal("PONG", AsyncFace.await(client.executeCommand(sent, of(data -> "PONG"))));
            Check.fails(IllegalStateException.class, () -> sent.add("more"));
            Check.fails(ClassCastException.class,
                    () -> AsyncFace.await(client.executeCommand(
                            new CommandArguments(Command.PING), of(data -> (Long) data))));
            Check.equal("PONG", AsyncFace.await(client.ping()));
        }
        var denied = Servers.config().user("app").password("wrong").build();
        try (AsyncJedis client = new AsyncJedis(Servers.address("acl"), denied)) {
            Check.fails(
                    JedisAccessControlException.class, () -> AsyncFace.await(client.ping()));
        }
        try (AsyncJedis client = new AsyncJedis("localhost", 1)) {
            JedisConnectionException refused = Check.fails(
                    JedisConnectionException.class, () -> AsyncFace.await(client.ping()));
            Check.equal(Executed.NO, refused.executed());
        }
    }

    private static <T> Builder<T> of(java.util.function.Function<Object, T> function) {
        return new Builder<>() {
            @Override
            public T build(Object data) {
                return function.apply(data);
            }
        };
    }

    @Case
    void whatItIsMadeOf() {
        HostAndPort server = Servers.address("standalone");
        try (AsyncJedis client = new AsyncJedis("redis://localhost:" + server.getPort() + "/3")) {
            Check.contains(AsyncFace.await(client.clientInfo()), "db=3");
        }
        var tls = Servers.config().sslOptions(Servers.trust().build()).build();
        try (AsyncJedis client = new AsyncJedis(Servers.address("tls"), tls)) {
            Check.equal("PONG", AsyncFace.await(client.ping()));
        }
        Check.fails(JedisValidationException.class, () -> AsyncJedis.builder().build());
        Check.fails(JedisValidationException.class,
                () -> new AsyncJedis(server, Servers.config().option("nonsense", "1").build()));
        // Somebody who insists on the core's thread gets it.
        var threaded = Servers.config().option("drive", "thread").build();
        try (AsyncJedis client = new AsyncJedis("redis://localhost:" + server.getPort()
                     + "?drive=thread")) {
            Check.equal("PONG", AsyncFace.await(client.ping()));
        }
        try (AsyncJedis client = new AsyncJedis(server, threaded)) {
            List<CompletableFuture<String>> echoes = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                echoes.add(client.echo("e" + i));
            }
            for (int i = 0; i < 1000; i++) {
                Check.equal("e" + i, AsyncFace.await(echoes.get(i)));
            }
        }
    }

    @Case
    void pipelines() {
        try (AsyncJedis client = client(); AsyncPipeline pipeline = client.pipelined()) {
            CompletableFuture<String> set = pipeline.set(P + "pipe", "x");
            CompletableFuture<Long> wrong = pipeline.incr(P + "pipe");
            Check.equal(2, pipeline.size());
            Check.that(!set.isDone(), "nothing is sent before sync");
            List<Object> results = AsyncFace.await(pipeline.syncAndReturnAll());
            Check.equal("OK", results.get(0));
            Check.that(results.get(1) instanceof JedisDataException, "an error is in the list");
            Check.equal("OK", set.join());
            Check.that(wrong.isCompletedExceptionally(), "and in its future");
            Check.equal(0, pipeline.size());
            Check.equal(List.of(), AsyncFace.await(pipeline.syncAndReturnAll()));
            for (int i = 0; i < 5000; i++) {
                pipeline.echo("p" + i);
            }
            CompletableFuture<String> last = pipeline.echo("last");
            AsyncFace.await(pipeline.sync());
            Check.equal("last", last.join());
            CompletableFuture<String> onClose;
            try (AsyncPipeline other = client.pipelined()) {
                onClose = other.ping();
            }
            Check.equal("PONG", AsyncFace.await(onClose));
        }
    }

    @Case
    void transactions() {
        try (AsyncJedis client = client()) {
            AsyncTransaction transaction = client.multi();
            transaction.del(P + "n");
            CompletableFuture<Long> incr = transaction.incr(P + "n");
            CompletableFuture<byte[]> get = transaction.get((P + "n").getBytes());
            CompletableFuture<Long> wrong = transaction.lpush(P + "n", "x");
            List<Object> results = AsyncFace.await(transaction.exec());
            Check.equal(4, results.size());
            Check.equal(1L, incr.join());
            Check.equal("1".getBytes(), get.join());
            Check.fails(JedisDataException.class, () -> AsyncFace.await(wrong));
            Check.that(results.get(3) instanceof JedisDataException, "the error is in the list");
            Check.fails(IllegalStateException.class, transaction::exec);
            Check.fails(IllegalStateException.class, transaction::ping);
            Check.equal(List.of(), AsyncFace.await(client.multi().exec()));
        }
    }

    @Case
    void abortedTransactions() {
        try (AsyncJedis client = client()) {
            AsyncFace.await(client.del(P + "aborted"));
            AsyncTransaction refused = client.multi();
            CompletableFuture<String> set = refused.set(P + "aborted", "x");
            refused.sendCommand(() -> "NOSUCH".getBytes(), "x");
            JedisDataException abort = Check.fails(
                    JedisDataException.class, () -> AsyncFace.await(refused.exec()));
            Check.equal("EXECABORT", abort.prefix());
            Check.contains(abort.getSuppressed()[0].getMessage(), "NOSUCH");
            Check.fails(JedisDataException.class, () -> AsyncFace.await(set));
            AsyncTransaction discarded = client.multi();
            CompletableFuture<String> never = discarded.set(P + "aborted", "x");
            discarded.close();
            Check.fails(CancellationException.class, never::join);
            Check.equal(null, AsyncFace.await(client.get(P + "aborted")));
        }
    }

    @Case
    void cancelledTransactions() throws Exception {
        ProcessHandle server = Servers.expendable();
        try (AsyncJedis client = new AsyncJedis(
                     Servers.address("expendable"), Servers.patient().build())) {
            AsyncFace.await(client.del(P + "cancelled"));
            Servers.signal(server, "STOP"); /* so that the answer does not come before the end */
            AsyncTransaction cancelled = client.multi();
            CompletableFuture<Boolean> exists = cancelled.exists(P + "cancelled");
            CompletableFuture<List<Object>> exec = cancelled.exec();
            exec.cancel(true);
            Check.fails(CancellationException.class, exec::join);
            Check.fails(CancellationException.class, exists::join);
            Servers.signal(server, "CONT");
            Check.equal(null, AsyncFace.await(client.get(P + "cancelled")));
        } finally {
            Servers.signal(server, "CONT");
        }
    }

    @Case
    void deadlines() throws Exception {
        try (FakeServer silent = new FakeServer(new byte[0]);
                AsyncJedis client = new AsyncJedis(new HostAndPort("127.0.0.1", silent.port()),
                        Servers.config().timeoutMillis(200).build())) {
            List<CompletableFuture<String>> late = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                late.add(client.ping());
            }
            for (CompletableFuture<String> one : late) {
                Check.fails(JedisConnectionException.class, () -> AsyncFace.await(one));
            }
        }
    }

    @Case
    void tooManyAreRefusedAndNoneIsLost() {
        var few = Servers.config().option("max_pending", "50").build();
        try (AsyncJedis client = new AsyncJedis(Servers.address("standalone"), few)) {
            List<CompletableFuture<String>> echoes = new ArrayList<>();
            for (int i = 0; i < 20_000; i++) {
                echoes.add(client.echo("e" + i));
            }
            int refused = 0;
            for (int i = 0; i < echoes.size(); i++) {
                try {
                    Check.equal("e" + i, AsyncFace.await(echoes.get(i)));
                } catch (JedisException failure) {
                    Check.equal(-35, failure.status());
                    Check.equal(Executed.NO, failure.executed());
                    refused++;
                }
            }
            Check.that(refused > 0 && refused < 20_000, refused + " refused");
        }
    }

    @Case
    void cluster() {
        try (AsyncJedis client =
                        new AsyncJedis(Servers.nodes("cluster"), Servers.config().build())) {
            List<CompletableFuture<String>> gets = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                client.setex(P + "cluster:" + i, 60, "v" + i);
                gets.add(client.get(P + "cluster:" + i));
            }
            for (int i = 0; i < 1000; i++) {
                Check.equal("v" + i, AsyncFace.await(gets.get(i)));
            }
            AsyncTransaction transaction = client.multi();
            transaction.set(P + "{t}1", "a");
            CompletableFuture<String> moved = transaction.get(P + "{t}1");
            AsyncFace.await(transaction.exec());
            Check.equal("a", moved.join());
            JedisException slots = Check.fails(io.tendon.jedis.exceptions
                            .JedisClusterOperationException.class,
                    () -> AsyncFace.await(client.sunion(P + "x", P + "y", P + "z")));
            Check.equal(Executed.NO, slots.executed());
        }
    }

    /** Refused without the network, when nothing else is under way: nobody must wait for it. */
    @Case
    void refusedAtOnce() {
        try (AsyncJedis client = client()) {
            for (int i = 0; i < 20; i++) {
                JedisException stream = Check.fails(JedisException.class,
                        () -> AsyncFace.await(client.sendCommand(Command.SUBSCRIBE, "x")));
                Check.equal(-7, stream.status());
                Check.fails(JedisException.class,
                        () -> AsyncFace.await(client.sendCommand(Command.SELECT, "1")));
                Check.equal("PONG", AsyncFace.await(client.ping()));
            }
        }
    }

    @Case
    void blockingAndAsynchronousSideBySide() {
        try (AsyncJedis client = client(); Jedis jedis = Servers.jedis()) {
            CompletableFuture<List<String>> popped = client.blpop(0, P + "list");
            jedis.rpush(P + "list", "pushed");
            Check.equal(List.of(P + "list", "pushed"), AsyncFace.await(popped));
        }
    }
}
