package conformance;

import io.tendon.jedis.AsyncJedis;
import io.tendon.jedis.AsyncPipeline;
import io.tendon.jedis.AsyncTransaction;
import io.tendon.jedis.BinaryJedisPubSub;
import io.tendon.jedis.BinaryJedisShardedPubSub;
import io.tendon.jedis.commands.AsyncCommands;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/** The driver of the futures interface, which Jedis has not. */
final class FuturesClient implements Client {
    private final AsyncJedis client;
    private final Leases leases; /* of which there is no futures form */

    FuturesClient(Settings settings) {
        client = settings.cluster()
                ? new AsyncJedis(Set.of(settings.server()), settings.config())
                : new AsyncJedis(settings.server(), settings.config());
        leases = new Leases(settings);
    }

    /** Its argument is the name that the driver goes by. */
    public static void main(String[] arguments) {
        Machine.serve(arguments[0], FuturesClient::new);
    }

    @Override
    public Object command(Words words) {
        return AsyncCommandsMethods.command(client, words);
    }

    @Override
    public Object method(String name, Words words) {
        return AsyncCommandsMethods.method(client, name, words);
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
    public Watch watch(byte[][] keys) throws Exception {
        AsyncTransaction transaction = client.transaction(false);
        try {
            Waiting.outcome(transaction.watch(keys));
            return new WatchingTransaction(transaction);
        } catch (Exception failure) {
            transaction.close();
            throw failure;
        }
    }

    @Override
    public Client lease() {
        return leases.lease();
    }

    @Override
    public Object cancel(Words words, long milliseconds) throws InterruptedException {
        CompletableFuture<Object> result = client.sendCommand(words.command(), words.from(1));
        Thread.sleep(milliseconds);
        result.cancel(true);
        return result;
    }

    @Override
    public void readStatistics() {
        leases.pool().getNumActive();
    }

    @Override
    public CompletableFuture<Void> subscribe(BinaryJedisPubSub listener, byte[][] names) {
        return client.subscribe(listener, names);
    }

    @Override
    public CompletableFuture<Void> psubscribe(BinaryJedisPubSub listener, byte[][] names) {
        return client.psubscribe(listener, names);
    }

    @Override
    public CompletableFuture<Void> ssubscribe(BinaryJedisShardedPubSub listener, byte[][] names) {
        return client.ssubscribe(listener, names);
    }

    @Override
    public void close() {
        leases.close();
        client.close();
    }

    /** What a pipeline or transaction is told becomes futures. */
    private record Queued(AsyncCommands queue) implements Commands {
        @Override
        public Object command(Words words) {
            return AsyncCommandsMethods.command(queue, words);
        }

        @Override
        public Object method(String name, Words words) {
            return AsyncCommandsMethods.method(queue, name, words);
        }
    }

    private record PipelineGroup(AsyncPipeline pipeline) implements Group {
        @Override
        public Commands commands() {
            return new Queued(pipeline);
        }

        @Override
        public Object end(List<Object> taken) {
            return pipeline.sync().thenApply(nothing -> {
                List<Object> results = new ArrayList<>(taken);
                results.replaceAll(Waiting::settled);
                return results;
            });
        }

        @Override
        public void close() {
            pipeline.close();
        }
    }

    private record TransactionGroup(AsyncTransaction transaction) implements Group {
        @Override
        public Commands commands() {
            return new Queued(transaction);
        }

        @Override
        public Object end(List<Object> taken) {
            return transaction.exec().thenApply(executed -> Group.merged(executed, taken));
        }

        @Override
        public void close() {
            transaction.close();
        }
    }

    /** Before multi, a transaction sends at once. */
    private record WatchingTransaction(AsyncTransaction watching) implements Watch {
        @Override
        public Object command(Words words) {
            return AsyncCommandsMethods.command(watching, words);
        }

        @Override
        public Object method(String name, Words words) {
            return AsyncCommandsMethods.method(watching, name, words);
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
}
