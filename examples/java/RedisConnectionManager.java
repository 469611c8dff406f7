import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisPool;
import io.tendon.jedis.JedisPoolConfig;

/** The article's class "Using Jedis": only the imports and the host name are changed. */
public class RedisConnectionManager {

    private static JedisPool pool;

    public static void initialize() {
        // Configure the connection pool
        JedisPoolConfig poolConfig = new JedisPoolConfig();
        poolConfig.setMaxTotal(50);          // Max connections
        poolConfig.setMaxIdle(20);           // Max idle connections
        poolConfig.setMinIdle(5);            // Min idle connections
        poolConfig.setTestOnBorrow(true);    // Test connection before use
        poolConfig.setTestOnReturn(true);
        poolConfig.setBlockWhenExhausted(true);
        poolConfig.setMaxWaitMillis(2000);   // Wait 2s for a connection

        String host = Endpoint.of("standalone").host();
        int port = Endpoint.of("standalone").port();
        int timeout = 5000;

        pool = new JedisPool(poolConfig, host, port, timeout);
    }

    public static void cacheValue(String key, String value, int ttlSeconds) {
        try (Jedis jedis = pool.getResource()) {
            jedis.setex(key, ttlSeconds, value);
        }
    }

    public static String getCachedValue(String key) {
        try (Jedis jedis = pool.getResource()) {
            return jedis.get(key);
        }
    }

    // Not in the article: the end of the program.
    public static void shutdown() {
        pool.close();
    }
}
