package bench;

import java.util.ArrayList;
import java.util.List;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.Pipeline;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.Response;

/** Jedis with a connection in the pool for each thread. */
public final class JedisPeer implements Job.Client {
    private final RedisClient calls;

    private JedisPeer(Job job) {
        ConnectionPoolConfig pool = new ConnectionPoolConfig();
        pool.setMaxTotal(Math.max(job.concurrency, 8));
        pool.setMaxIdle(Math.max(job.concurrency, 8));
        calls = RedisClient.builder()
                .hostAndPort(job.words.get("host"), job.number("port"))
                .poolConfig(pool)
                .build();
    }

    public static void main(String[] args) throws Exception {
        Job job = new Job(args);
        job.run(new JedisPeer(job), "Jedis", "8.0.2");
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
    public List<String> pipeline(String[] keys, String[] values) {
        List<Response<String>> replies = new ArrayList<>(keys.length);
        try (Pipeline pipe = calls.pipelined()) {
            for (int at = 0; at < keys.length; at++)
                replies.add(values == null ? pipe.get(keys[at]) : pipe.set(keys[at], values[at]));
            pipe.sync();
        }
        return replies.stream().map(Response::get).toList();
    }
}
