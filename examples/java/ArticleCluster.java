import io.tendon.jedis.ClusterPipeline;
import io.tendon.jedis.DefaultJedisClientConfig;
import io.tendon.jedis.HostAndPort;
import io.tendon.jedis.JedisCluster;
import io.tendon.jedis.Response;
import io.tendon.jedis.SslOptions;
import io.tendon.jedis.params.SetParams;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** The article's "cluster mode enabled", in Java. Run it with "cluster" or "tls_cluster". */
public final class ArticleCluster {
    private ArticleCluster() {
    }

    public static void main(String[] arguments) {
        Endpoint endpoint = Endpoint.of(arguments.length > 0 ? arguments[0] : "cluster");
        DefaultJedisClientConfig.Builder config = DefaultJedisClientConfig.builder();
        if (endpoint.caFile() != null) {
            config.sslOptions(SslOptions.builder().caFile(endpoint.caFile()).build());
        }
        Set<HostAndPort> nodes = Set.of(new HostAndPort(endpoint.host(), endpoint.port()));
        try (JedisCluster cluster = new JedisCluster(nodes, config.build())) {
            // Operations work the same way
            cluster.set("article:java:key", "value", new SetParams().ex(300));
            String result = cluster.get("article:java:key");
            Endpoint.check("value".equals(result), result);
            System.out.println("key = " + result);
            pipeline(cluster);
        }
    }

    private static void pipeline(JedisCluster cluster) {
        List<Response<String>> values = new ArrayList<>();
        try (ClusterPipeline pipeline = cluster.pipelined()) {
            for (int number = 0; number < 100; number++) {
                pipeline.setex("article:java:" + number, 60, Integer.toString(number));
                values.add(pipeline.get("article:java:" + number));
            }
        }
        for (int number = 0; number < 100; number++) {
            Endpoint.check(
                    Integer.toString(number).equals(values.get(number).get()), "key " + number);
        }
        System.out.println("100 keys set and read back on all primaries in one pipeline");
    }
}
