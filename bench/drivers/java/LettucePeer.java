package bench;

import io.lettuce.core.KeyValue;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulRedisConnection;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

/** Lettuce: one connection that all threads share; a pipeline is flushed by hand, as it advises. */
public final class LettucePeer implements Job.Client {
    private final StatefulRedisConnection<String, String> connection;

    private LettucePeer(Job job) {
        RedisURI uri = RedisURI.create(job.words.get("host"), job.number("port"));
        connection = RedisClient.create(uri).connect();
    }

    public static void main(String[] args) throws Exception {
        Job job = new Job(args);
        job.run(new LettucePeer(job), "Lettuce", "7.7.0");
    }

    @Override
    public String get(String key) {
        return connection.sync().get(key);
    }

    @Override
    public String set(String key, String value) {
        return connection.sync().set(key, value);
    }

    @Override
    public List<String> mget(String[] keys) {
        return connection.sync().mget(keys).stream().map(KeyValue::getValue).toList();
    }

    @Override
    public List<String> pipeline(String[] keys, String[] values) {
        List<RedisFuture<String>> futures = new ArrayList<>(keys.length);
        connection.setAutoFlushCommands(false);
        for (int at = 0; at < keys.length; at++)
            futures.add(values == null ? connection.async().get(keys[at])
                    : connection.async().set(keys[at], values[at]));
        connection.flushCommands();
        connection.setAutoFlushCommands(true);
        return futures.stream().map(future -> future.toCompletableFuture().join()).toList();
    }

    @Override
    public CompletionStage<String> getLater(String key) {
        return connection.async().get(key);
    }

    @Override
    public CompletionStage<String> setLater(String key, String value) {
        return connection.async().set(key, value);
    }
}
