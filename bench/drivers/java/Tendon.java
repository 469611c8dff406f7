package bench;

import io.tendon.jedis.AbstractPipeline;
import io.tendon.jedis.AsyncJedis;
import io.tendon.jedis.DefaultJedisClientConfig;
import io.tendon.jedis.HostAndPort;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisCluster;
import io.tendon.jedis.JedisClientConfig;
import io.tendon.jedis.JedisPool;
import io.tendon.jedis.JedisPoolConfig;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.JedisPubSub;
import io.tendon.jedis.Response;
import io.tendon.jedis.SslOptions;
import io.tendon.jedis.UnifiedJedis;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/** tendon: JedisPooled or JedisCluster for calls, AsyncJedis for futures. */
public final class Tendon implements Client {
    private static JedisPool sessions;

    private final HostAndPort server;
    private final JedisClientConfig config;
    private UnifiedJedis calls;
    private AsyncJedis futures;

    private Tendon(Job job) {
        server = new HostAndPort(job.host(), job.port());
        config = config(job);
        String url = "unix://" + job.word("socket");
        boolean direct = job.word("socket").isEmpty();
        if (job.mode.equals("async") || job.yes("futures")) {
            if (job.yes("cluster")) futures = new AsyncJedis(Set.of(server), config);
            else futures = direct ? new AsyncJedis(server, config) : new AsyncJedis(url);
        } else {
            if (job.yes("cluster")) calls = new JedisCluster(Set.of(server), config);
            else calls = direct ? new JedisPooled(server, config) : new JedisPooled(url);
        }
    }

    private static JedisClientConfig config(Job job) {
        var settings = DefaultJedisClientConfig.builder();
        if (job.trust != null)
            settings.ssl(true).sslOptions(SslOptions.builder().caFile(job.word("ca")).build());
        return settings.build();
    }

    public static void main(String[] args) throws Exception {
        new Job(args).run(Tendon::open, "tendon", "0.1.0");
    }

    /** Sessions live in a client, so that they are resumed by one that keeps no connection. */
    private static Client open(Job job) {
        if (!job.yes("resume")) return new Tendon(job);
        if (sessions == null) {
            JedisPoolConfig none = new JedisPoolConfig();
            none.setMaxIdle(0);
            sessions = new JedisPool(none, new HostAndPort(job.host(), job.port()), config(job));
        }
        return new Lease(sessions);
    }

    @Override
    public String get(String key) {
        return calls.get(key);
    }

    @Override
    public String set(String key, String value) {
        return calls.set(key, value);
    }

    @Override
    public List<String> mget(String[] keys) {
        return calls.mget(keys);
    }

    @Override
    public Map<String, String> hash(String key) {
        return calls.hgetAll(key);
    }

    @Override
    public List<String> pipeline(String[] keys, String[] values) {
        List<Response<String>> replies = new ArrayList<>(keys.length);
        try (AbstractPipeline pipe = calls.pipelined()) {
            for (int at = 0; at < keys.length; at++)
                replies.add(values == null ? pipe.get(keys[at]) : pipe.set(keys[at], values[at]));
            pipe.sync();
        }
        return replies.stream().map(Response::get).toList();
    }

    @Override
    public CompletionStage<String> getLater(String key) {
        return futures.get(key);
    }

    @Override
    public CompletionStage<String> setLater(String key, String value) {
        return futures.set(key, value);
    }

    @Override
    public Client lease() {
        return new Lease(new JedisPool(server, config));
    }

    @Override
    public String ping() {
        return calls.ping();
    }

    @Override
    public void subscribe(String channel, Consumer<String> each) throws InterruptedException {
        CountDownLatch confirmed = new CountDownLatch(1);
        JedisPubSub listener = new JedisPubSub() {
            @Override
            public void onSubscribe(String name, int count) {
                confirmed.countDown();
            }

            @Override
            public void onMessage(String name, String message) {
                each.accept(message);
            }
        };
        Thread thread = new Thread(() -> calls.subscribe(listener, channel));
        thread.setDaemon(true);
        thread.start();
        confirmed.await();
    }

    @Override
    public void publish(String channel, List<String> messages) {
        try (AbstractPipeline pipe = calls.pipelined()) {
            for (String message : messages) pipe.publish(channel, message);
            pipe.sync();
        }
    }

    @Override
    public void close() {
        if (calls != null) calls.close();
        if (futures != null) futures.close();
    }

    /** A connection lent by a pool. */
    private static final class Lease implements Client {
        private final Jedis jedis;

        Lease(JedisPool pool) {
            jedis = pool.getResource();
        }

        @Override
        public String get(String key) {
            return jedis.get(key);
        }

        @Override
        public String set(String key, String value) {
            return jedis.set(key, value);
        }

        @Override
        public String ping() {
            return jedis.ping();
        }

        @Override
        public void close() {
            jedis.close();
        }
    }
}
