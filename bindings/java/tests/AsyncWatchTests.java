package io.tendon.jedis.tests;

import io.tendon.jedis.AsyncJedis;
import io.tendon.jedis.AsyncTransaction;
import io.tendon.jedis.GenericObjectPoolConfig;
import io.tendon.jedis.Connection;
import io.tendon.jedis.JedisPubSub;
import io.tendon.jedis.exceptions.JedisDataException;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Watched transactions and messages of an AsyncJedis. */
final class AsyncWatchTests {
    private static final String P = "java:asyncwatch:";

    private static <T> T get(CompletableFuture<T> future) {
        return AsyncFace.await(future);
    }

    /** One connection to lend: a lease that was not given back would stop the second round. */
    private static AsyncJedis clientOfOneLease() {
        GenericObjectPoolConfig<Connection> pool = new GenericObjectPoolConfig<>();
        pool.setMaxTotal(2);
        return AsyncJedis.builder().server(Servers.address("standalone")).pool(pool).build();
    }

    @Case
    void watchedKeyThatStays() {
        try (AsyncJedis client = clientOfOneLease()) {
            for (int i = 0; i < 5; i++) {
                get(client.set(P + "stays", "1"));
                AsyncTransaction transaction = client.transaction(false);
                Check.equal("OK", get(transaction.watch(P + "stays")));
                Check.equal("1", get(transaction.get(P + "stays")));
                transaction.multi();
                CompletableFuture<Long> two = transaction.incr(P + "stays");
                Check.equal(List.of(2L), get(transaction.exec()));
                Check.equal(2L, get(two));
                transaction.close();
            }
            get(client.del(P + "stays"));
        }
    }

    @Case
    void watchedKeyThatChanges() {
        try (AsyncJedis client = clientOfOneLease()) {
            for (int i = 0; i < 5; i++) {
                get(client.set(P + "changes", "1"));
                try (AsyncTransaction transaction = client.transaction(false)) {
                    get(transaction.watch(P + "changes"));
                    get(client.set(P + "changes", "other"));
                    transaction.multi();
                    CompletableFuture<String> never = transaction.set(P + "changes", "mine");
                    Check.equal(null, get(transaction.exec()));
                    Check.fails(JedisDataException.class, () -> get(never));
                }
                Check.equal("other", get(client.get(P + "changes")));
            }
            get(client.del(P + "changes"));
        }
    }

    @Case
    void withoutExec() {
        try (AsyncJedis client = clientOfOneLease()) {
            for (int i = 0; i < 5; i++) {
                AsyncTransaction transaction = client.transaction(false);
                transaction.watch(P + "none");
                transaction.multi();
                CompletableFuture<String> never = transaction.set(P + "none", "x");
                transaction.close();
                Check.that(never.isCancelled(), "cancelled");
                Check.fails(IllegalStateException.class, transaction::exec);
            }
            /* The answer may be there before cancel is: only what was cancelled counts. */
            int cancelled = 0;
            for (int i = 0; i < 1000 && cancelled < 5; i++) {
                AsyncTransaction transaction = client.transaction(true);
                transaction.set(P + "none", "x");
                CompletableFuture<List<Object>> exec = transaction.exec();
                if (exec.cancel(false)) {
                    Check.fails(CancellationException.class, () -> exec.join());
                    cancelled++;
                }
            }
            Check.equal(5, cancelled);
            Check.fails(IllegalStateException.class, () -> client.multi().watch("x"));
            Check.equal("PONG", get(client.ping()));
            get(client.del(P + "none"));
        }
        try (AsyncJedis cluster =
                        new AsyncJedis(Servers.nodes("cluster"), Servers.config().build())) {
            Check.fails(UnsupportedOperationException.class, () -> cluster.transaction(false));
        }
    }

    @Case
    void messages() throws Exception {
        ConcurrentLinkedQueue<String> got = new ConcurrentLinkedQueue<>();
        JedisPubSub listener = new JedisPubSub() {
            @Override
            public void onMessage(String channel, String message) {
                got.add(message);
            }
        };
        try (AsyncJedis client = new AsyncJedis(Servers.address("standalone"))) {
            CompletableFuture<Void> waiting = client.subscribe(listener, P + "channel");
            Check.eventually("a subscriber", () -> get(client.publish(P + "channel", "m")) == 1);
            Check.eventually("a message", () -> got.contains("m"));
            listener.unsubscribe();
            get(waiting);
            CompletableFuture<Void> cancelled = client.subscribe(listener, P + "channel");
            Check.eventually("a subscriber", () -> get(client.publish(P + "channel", "m")) == 1);
            cancelled.cancel(false);
            Check.eventually("nobody", () -> get(client.publish(P + "channel", "m")) == 0);
        }
    }
}
