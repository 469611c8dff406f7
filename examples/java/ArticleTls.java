import io.tendon.jedis.DefaultJedisClientConfig;
import io.tendon.jedis.HostAndPort;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisPool;
import io.tendon.jedis.JedisPoolConfig;
import io.tendon.jedis.SslOptions;

/**
 * The article's "when encryption in transit is enabled", in Java; ElastiCache itself needs only
 * ssl(true).
 */
public final class ArticleTls {
    private ArticleTls() {
    }

    public static void main(String[] arguments) {
        Endpoint server = Endpoint.of("tls");
        DefaultJedisClientConfig config = DefaultJedisClientConfig.builder().ssl(true)
                .sslOptions(SslOptions.builder().caFile(server.caFile()).build())
                .connectionTimeoutMillis(2000).socketTimeoutMillis(5000).build();
        HostAndPort address = new HostAndPort(server.host(), server.port());
        try (JedisPool pool = new JedisPool(new JedisPoolConfig(), address, config);
                Jedis jedis = pool.getResource()) {
            Endpoint.check("PONG".equals(jedis.ping()), "ping");
            System.out.println("Connected to ElastiCache Redis with TLS");
            jedis.setex("article:java:tls", 60, "grün");
            Endpoint.check("grün".equals(jedis.get("article:java:tls")), "the value over TLS");
        }
    }
}
