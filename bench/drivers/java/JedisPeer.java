package bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import redis.clients.jedis.AbstractPipeline;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.JedisPool;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.Response;
import redis.clients.jedis.UnifiedJedis;

/** Jedis with a connection in the pool for each thread. It knows TCP alone, and no futures. */
public final class JedisPeer implements Client {
    private final HostAndPort server;
    private final JedisClientConfig config;
    private final UnifiedJedis calls;

    private JedisPeer(Job job) {
        server = new HostAndPort(job.host(), job.port());
        var settings = DefaultJedisClientConfig.builder();
        if (job.trust != null)
            settings.ssl(true).sslSocketFactory(job.trust.context.getSocketFactory());
        config = settings.build();
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(Math.max(job.concurrency, 8));
        pool.setMaxIdle(Math.max(job.concurrency, 8));
        calls = job.yes("cluster")
                ? RedisClusterClient.builder().nodes(Set.of(server)).clientConfig(config)
                        .poolConfig(pool).build()
                : RedisClient.builder().hostAndPort(server).clientConfig(config)
                        .poolConfig(pool).build();
    }

    public static void main(String[] args) throws Exception {
        String version = Job.versionOf(UnifiedJedis.class);
        new Job(args).run(JedisPeer::new, "Jedis", version);
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
        calls.close();
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
