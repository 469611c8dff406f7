package bench;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.KeyValue;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisFuture;
import io.lettuce.core.RedisURI;
import io.lettuce.core.SslOptions;
import io.lettuce.core.TimeoutOptions;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.cluster.ClusterClientOptions;
import io.lettuce.core.cluster.ClusterTopologyRefreshOptions;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.cluster.api.async.RedisClusterAsyncCommands;
import io.lettuce.core.cluster.api.sync.RedisClusterCommands;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import io.lettuce.core.resource.ClientResources;
import io.lettuce.core.resource.DefaultClientResources;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/**
 * Lettuce: one connection that all threads share. flush=manual: a pipeline is flushed by hand.
 * openssl=yes: TLS by OpenSSL instead of Java's own.
 * impatient=1: looks at the topology every second, and a command takes no longer.
 */
public final class LettucePeer implements Client {
    /** Threads and the like, which clients are meant to share. */
    private static final ClientResources RESOURCES = DefaultClientResources.create();

    private final boolean manual;
    private RedisClient single;
    private StatefulConnection<String, String> connection;
    private RedisClusterCommands<String, String> sync;
    private RedisClusterAsyncCommands<String, String> async;
    private Runnable shutdown;

    private LettucePeer(Job job) {
        manual = job.word("flush").equals("manual");
        if (job.yes("cluster")) connectCluster(job, uri(job));
        else connectSingle(job, uri(job));
    }

    public static void main(String[] args) throws Exception {
        Job job = new Job(args);
        job.run(LettucePeer::new, "Lettuce", Job.versionOf(RedisClient.class));
    }

    private static RedisURI uri(Job job) {
        RedisURI.Builder builder = job.word("socket").isEmpty()
                ? RedisURI.builder().withHost(job.host()).withPort(job.port())
                : RedisURI.Builder.socket(job.word("socket"));
        return builder.withSsl(job.trust != null).build();
    }

    private void connectSingle(Job job, RedisURI uri) {
        single = RedisClient.create(RESOURCES, uri);
        if (job.trust != null) {
            SslOptions.Builder secure = SslOptions.builder().trustManager(job.trust.managers);
            if (job.yes("openssl")) secure.openSslProvider();
            single.setOptions(ClientOptions.builder().sslOptions(secure.build()).build());
        }
        StatefulRedisConnection<String, String> opened = single.connect();
        connection = opened;
        sync = opened.sync();
        async = opened.async();
        shutdown = () -> single.shutdown(Duration.ZERO, Duration.ZERO);
    }

    /** With the refreshing of the topology that its documentation recommends. */
    private void connectCluster(Job job, RedisURI uri) {
        var refresh = ClusterTopologyRefreshOptions.builder().enableAllAdaptiveRefreshTriggers();
        var options = ClusterClientOptions.builder();
        if (job.word("impatient").isEmpty()) {
            refresh.enablePeriodicRefresh();
        } else {
            Duration patience = Duration.ofSeconds(job.number("impatient"));
            refresh.enablePeriodicRefresh(patience);
            options.timeoutOptions(TimeoutOptions.enabled(patience));
        }
        RedisClusterClient cluster = RedisClusterClient.create(RESOURCES, uri);
        cluster.setOptions(options.topologyRefreshOptions(refresh.build()).build());
        StatefulRedisClusterConnection<String, String> opened = cluster.connect();
        connection = opened;
        sync = opened.sync();
        async = opened.async();
        shutdown = () -> cluster.shutdown(Duration.ZERO, Duration.ZERO);
    }

    @Override
    public String get(String key) {
        return sync.get(key);
    }

    @Override
    public String set(String key, String value) {
        return sync.set(key, value);
    }

    @Override
    public List<String> mget(String[] keys) {
        return sync.mget(keys).stream().map(KeyValue::getValue).toList();
    }

    @Override
    public Map<String, String> hash(String key) {
        return sync.hgetall(key);
    }

    @Override
    public List<String> pipeline(String[] keys, String[] values) {
        List<RedisFuture<String>> futures = new ArrayList<>(keys.length);
        together(() -> {
            for (int at = 0; at < keys.length; at++)
                futures.add(values == null ? async.get(keys[at])
                        : async.set(keys[at], values[at]));
        });
        return futures.stream().map(future -> future.toCompletableFuture().join()).toList();
    }

    private void together(Runnable commands) {
        if (manual) connection.setAutoFlushCommands(false);
        commands.run();
        if (manual) {
            connection.flushCommands();
            connection.setAutoFlushCommands(true);
        }
    }

    @Override
    public CompletionStage<String> getLater(String key) {
        return async.get(key);
    }

    @Override
    public CompletionStage<String> setLater(String key, String value) {
        return async.set(key, value);
    }

    @Override
    public String ping() {
        return sync.ping();
    }

    @Override
    public void subscribe(String channel, Consumer<String> each) {
        StatefulRedisPubSubConnection<String, String> subscriber = single.connectPubSub();
        subscriber.addListener(new RedisPubSubAdapter<>() {
            @Override
            public void message(String name, String message) {
                each.accept(message);
            }
        });
        subscriber.sync().subscribe(channel);
    }

    @Override
    public void publish(String channel, List<String> messages) {
        List<CompletableFuture<Long>> futures = new ArrayList<>(messages.size());
        together(() -> {
            for (String message : messages)
                futures.add(async.publish(channel, message).toCompletableFuture());
        });
        futures.forEach(CompletableFuture::join);
    }

    @Override
    public void close() {
        connection.close();
        shutdown.run();
    }
}
