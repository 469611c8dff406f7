package conformance;

import io.tendon.jedis.AbstractPipeline;
import io.tendon.jedis.AbstractTransaction;
import io.tendon.jedis.BinaryJedisPubSub;
import io.tendon.jedis.BinaryJedisShardedPubSub;
import io.tendon.jedis.CommandArguments;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.PipeliningBase;
import io.tendon.jedis.RedisClient;
import io.tendon.jedis.RedisClusterClient;
import io.tendon.jedis.Response;
import io.tendon.jedis.UnifiedJedis;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** The driver of the blocking interface. */
final class BlockingClient implements Client {
    /** tendon finds the node of any command; Jedis, of sendCommand, by a key that it is told. */
    private static final boolean FINDS_KEYS = true; /* the build changes it in the adapter */

    private final UnifiedJedis client;
    private final Leases leases;

    BlockingClient(Settings settings) {
        client = settings.cluster()
                ? RedisClusterClient.builder().nodes(Set.of(settings.server()))
                          .clientConfig(settings.config()).build()
                : RedisClient.builder().hostAndPort(settings.server())
                          .clientConfig(settings.config()).build();
        leases = new Leases(settings);
    }

    /** Its argument is the name that the driver goes by. */
    public static void main(String[] arguments) {
        Machine.serve(arguments[0], BlockingClient::new);
    }

    @Override
    public Object command(Words words) {
        if (wantsSampleKey(words)) {
            byte[] key = words.bytes(words.keyPlace());
            return words.areBlocking()
                    ? client.sendBlockingCommand(key, words.command(), words.from(1))
                    : client.sendCommand(key, words.command(), words.from(1));
        }
        return words.areBlocking()
                ? client.sendBlockingCommand(words.command(), words.from(1))
                : UnifiedJedisMethods.command(client, words);
    }

    private static boolean wantsSampleKey(Words words) {
        return !FINDS_KEYS && words.keyPlace() > 0;
    }

    @Override
    public Object method(String name, Words words) {
        return UnifiedJedisMethods.method(client, name, words);
    }

    @Override
    public Group pipeline() {
        return new PipelineGroup(client.pipelined());
    }

    @Override
    public Group transaction() {
        return new TransactionGroup(client.multi());
    }

    @Override
    public Watch watch(byte[][] keys) {
        AbstractTransaction transaction = client.transaction(false);
        try {
            transaction.watch(keys);
            return new WatchingTransaction(transaction);
        } catch (RuntimeException failure) {
            transaction.close();
            throw failure;
        }
    }

    @Override
    public Client lease() {
        return leases.lease();
    }

    @Override
    public void readStatistics() {
        client.getNumActive();
    }

    @Override
    public CompletableFuture<Void> subscribe(BinaryJedisPubSub listener, byte[][] names) {
        return onThread(() -> client.subscribe(listener, names));
    }

    @Override
    public CompletableFuture<Void> psubscribe(BinaryJedisPubSub listener, byte[][] names) {
        return onThread(() -> client.psubscribe(listener, names));
    }

    @Override
    public CompletableFuture<Void> ssubscribe(BinaryJedisShardedPubSub listener, byte[][] names) {
        return onThread(() -> client.ssubscribe(listener, names));
    }

    private static CompletableFuture<Void> onThread(Runnable subscription) {
        return CompletableFuture.runAsync(subscription, work -> {
            Thread thread = new Thread(work, "subscription");
            thread.setDaemon(true);
            thread.start();
        });
    }

    @Override
    public void close() {
        leases.close();
        client.close();
    }

    /** A pipeline of any kind. */
    record PipelineGroup(AbstractPipeline pipeline) implements Group {
        @Override
        public Commands commands() {
            return new Queued(pipeline);
        }

        @Override
        public Object end(List<Object> taken) {
            try (pipeline) {
                pipeline.sync();
            }
            List<Object> results = new ArrayList<>(taken.size());
            for (Object one : taken) {
                try {
                    results.add(one instanceof Response<?> response ? response.get() : one);
                } catch (RuntimeException failure) {
                    results.add(failure);
                }
            }
            return results;
        }

        @Override
        public void close() {
            pipeline.close();
        }
    }

    /** Closed, and with it its connection, at its end. */
    record TransactionGroup(AbstractTransaction transaction) implements Group {
        @Override
        public Commands commands() {
            return new Queued(transaction);
        }

        @Override
        public Object end(List<Object> taken) {
            try (transaction) {
                return Group.merged(transaction.exec(), taken);
            }
        }

        @Override
        public void close() {
            transaction.close();
        }
    }

    /** Commands of a pipeline or transaction, as Responses. */
    record Queued(PipeliningBase queue) implements Commands {
        @Override
        public Object command(Words words) {
            return wantsSampleKey(words) ? queue.sendCommand(withKey(words))
                                         : PipeliningBaseMethods.command(queue, words);
        }

        private static CommandArguments withKey(Words words) {
            CommandArguments arguments = new CommandArguments(words.command());
            for (int place = 1; place < words.values().size(); place++) {
                byte[] word = words.bytes(place);
                arguments = place == words.keyPlace() ? arguments.key(word) : arguments.add(word);
            }
            return arguments;
        }

        @Override
        public Object method(String name, Words words) {
            return PipeliningBaseMethods.method(queue, name, words);
        }
    }

    /** Before multi, a transaction executes at once. */
    record WatchingTransaction(AbstractTransaction watching) implements Watch {
        @Override
        public Object command(Words words) {
            return ((Response<?>) PipeliningBaseMethods.command(watching, words)).get();
        }

        @Override
        public Object method(String name, Words words) {
            return ((Response<?>) PipeliningBaseMethods.method(watching, name, words)).get();
        }

        @Override
        public Group transaction() {
            watching.multi();
            return new TransactionGroup(watching);
        }

        @Override
        public void close() {
            watching.close(); /* which forgets the watched keys */
        }
    }

    /** A connection of a JedisPool. */
    record Lease(Jedis jedis) implements Client {
        @Override
        public Object command(Words words) {
            return words.areBlocking()
                    ? jedis.sendBlockingCommand(words.command(), words.from(1))
                    : JedisMethods.command(jedis, words);
        }

        @Override
        public Object method(String name, Words words) {
            return JedisMethods.method(jedis, name, words);
        }

        @Override
        public Group pipeline() {
            return new PipelineGroup(jedis.pipelined());
        }

        @Override
        public Group transaction() {
            return new TransactionGroup(jedis.multi());
        }

        @Override
        public Watch watch(byte[][] keys) {
            jedis.watch(keys);
            return new WatchingLease(this);
        }

        @Override
        public void close() {
            jedis.close();
        }
    }

    /** A lease on which keys are watched; it stays open. */
    record WatchingLease(Lease lease) implements Watch {
        @Override
        public Object command(Words words) {
            return lease.command(words);
        }

        @Override
        public Object method(String name, Words words) {
            return lease.method(name, words);
        }

        @Override
        public Group transaction() {
            return lease.transaction();
        }

        @Override
        public void close() {
            lease.jedis().unwatch();
        }
    }
}
