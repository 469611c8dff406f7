package bench;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.redisson.Redisson;
import org.redisson.api.RBatch;
import org.redisson.api.RedissonClient;
import org.redisson.api.redisnode.RedisNodes;
import org.redisson.client.codec.StringCodec;
import org.redisson.config.Config;
import org.redisson.config.SingleServerConfig;

/** Redisson with texts as values; a batch is its pipeline. Its SET has no reply but success. */
public final class RedissonPeer implements Client {
    private static final String OK = "OK";

    private final RedissonClient redisson;

    private RedissonPeer(Job job) {
        Config config = new Config().setCodec(StringCodec.INSTANCE);
        String address = job.host() + ":" + job.port();
        if (job.yes("cluster")) config.useClusterServers().addNodeAddress("redis://" + address);
        else useSingle(job, config, address);
        redisson = Redisson.create(config);
    }

    private static void useSingle(Job job, Config config, String address) {
        boolean secure = job.trust != null;
        SingleServerConfig server = config.useSingleServer()
                .setAddress((secure ? "rediss://" : "redis://") + address);
        if (secure) config.setSslTrustManagerFactory(job.trust.managers);
        // The usual two dozen connections are not what is to be measured.
        if (job.mode.equals("connect"))
            server.setConnectionMinimumIdleSize(1).setConnectionPoolSize(1);
    }

    public static void main(String[] args) throws Exception {
        Job job = new Job(args);
        job.run(RedissonPeer::new, "Redisson", Job.versionOf(Redisson.class));
    }

    @Override
    public String get(String key) {
        return redisson.<String>getBucket(key).get();
    }

    @Override
    public String set(String key, String value) {
        redisson.<String>getBucket(key).set(value);
        return OK;
    }

    @Override
    public List<String> mget(String[] keys) {
        Map<String, String> values = redisson.getBuckets().get(keys);
        return List.of(keys).stream().map(values::get).toList();
    }

    @Override
    public Map<String, String> hash(String key) {
        return redisson.<String, String>getMap(key).readAllMap();
    }

    @Override
    public List<String> pipeline(String[] keys, String[] values) {
        RBatch batch = redisson.createBatch();
        for (int at = 0; at < keys.length; at++) {
            if (values == null) batch.<String>getBucket(keys[at]).getAsync();
            else batch.<String>getBucket(keys[at]).setAsync(values[at]);
        }
        List<?> replies = batch.execute().getResponses();
        return replies.stream().map(reply -> values == null ? (String) reply : OK).toList();
    }

    @Override
    public CompletionStage<String> getLater(String key) {
        return redisson.<String>getBucket(key).getAsync();
    }

    @Override
    public CompletionStage<String> setLater(String key, String value) {
        return redisson.<String>getBucket(key).setAsync(value).thenApply(nothing -> OK);
    }

    @Override
    public String ping() {
        return redisson.getRedisNodes(RedisNodes.SINGLE).pingAll() ? "PONG" : "nothing";
    }

    @Override
    public void subscribe(String channel, Consumer<String> each) {
        redisson.getTopic(channel)
                .addListener(String.class, (name, message) -> each.accept(message));
    }

    @Override
    public void publish(String channel, List<String> messages) {
        RBatch batch = redisson.createBatch();
        for (String message : messages) batch.getTopic(channel).publishAsync(message);
        batch.execute();
    }

    @Override
    public void close() {
        redisson.shutdown();
    }
}
