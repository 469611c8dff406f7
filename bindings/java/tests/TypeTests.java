package io.tendon.jedis.tests;

import io.tendon.jedis.AbstractPipeline;
import io.tendon.jedis.AbstractTransaction;
import io.tendon.jedis.DefaultJedisClientConfig;
import io.tendon.jedis.DefaultJedisSocketFactory;
import io.tendon.jedis.GenericObjectPoolConfig;
import io.tendon.jedis.GeoCoordinate;
import io.tendon.jedis.HostAndPort;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisClientConfig;
import io.tendon.jedis.JedisCluster;
import io.tendon.jedis.JedisPool;
import io.tendon.jedis.JedisPoolConfig;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.JedisSocketFactory;
import io.tendon.jedis.Module;
import io.tendon.jedis.MultiNodePipelineBase;
import io.tendon.jedis.Pipeline;
import io.tendon.jedis.PipeliningBase;
import io.tendon.jedis.RedisClient;
import io.tendon.jedis.Response;
import io.tendon.jedis.StreamEntryID;
import io.tendon.jedis.UnifiedJedis;
import io.tendon.jedis.exceptions.JedisAskDataException;
import io.tendon.jedis.exceptions.JedisClusterOperationException;
import io.tendon.jedis.exceptions.JedisMovedDataException;
import io.tendon.jedis.exceptions.JedisValidationException;
import io.tendon.jedis.resps.GeoRadiusResponse;
import io.tendon.jedis.resps.LCSMatchResult;
import io.tendon.jedis.resps.LibraryInfo;
import io.tendon.jedis.resps.ScanResult;
import io.tendon.jedis.resps.StreamEntry;
import io.tendon.jedis.resps.StreamEntryBinary;
import io.tendon.jedis.resps.StreamInfo;
import io.tendon.jedis.resps.StreamPendingEntry;
import io.tendon.jedis.resps.Tuple;
import java.io.Closeable;
import java.io.IOException;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocketFactory;

/** Classes and constructors of Jedis that a program names: they are there and do what they say. */
final class TypeTests {
    private static final String P = "java:type:";
    private static final List<String> WHERE =
            List.of("host", "hostAndPort", "url", "uri", "node", "nodes", "socketFactory");
    private static final HostAndPort SERVER = Servers.address("standalone");

    @Case
    void abstractTransaction() {
        try (RedisClient client = RedisClient.create(SERVER)) {
            UnifiedJedis unified = client;
            AbstractTransaction transaction = unified.multi();
            Response<String> set = transaction.set(P + "tx", "v");
            Response<Long> published = transaction.publish(P + "channel", "nobody");
            Check.equal(List.of("OK", 0L), transaction.exec());
            Check.equal("OK", set.get());
            Check.equal(0L, published.get());
            try (AbstractTransaction watched = unified.transaction(false)) {
                Check.equal("OK", watched.watch(P + "tx"));
                watched.multi();
                watched.del(P + "tx");
                unified.set(P + "tx", "other");
                Check.equal(null, watched.exec());
            }
            try (AbstractTransaction discarded = unified.transaction(true)) {
                discarded.del(P + "tx");
                Check.equal("OK", discarded.discard());
            }
            Check.equal("other", unified.get(P + "tx"));
            unified.del(P + "tx");
        }
    }

    @Case
    void abstractPipeline() {
        try (JedisCluster cluster = new JedisCluster(Servers.nodes("cluster"));
                JedisPooled pooled = new JedisPooled(SERVER)) {
            for (UnifiedJedis client : List.of(cluster, pooled)) {
                AbstractPipeline pipeline = client.pipelined();
                PipeliningBase base = pipeline;
                Response<String> set = base.set(P + "pipe", "v");
                Response<Long> published = pipeline.publish(P + "channel", "nobody");
                pipeline.sync();
                Check.equal("OK", set.get());
                Check.that(published.get() >= 0, "published");
                Response<Long> deleted = pipeline.del(P + "pipe");
                pipeline.close();
                Check.equal(1L, deleted.get());
            }
            try (MultiNodePipelineBase nodes = cluster.pipelined();
                    Pipeline single = pooled.pipelined()) {
                Check.equal(false, nodes.hasPipelinedResponse() || single.hasPipelinedResponse());
            }
            MultiNodePipelineBase.MULTI_NODE_PIPELINE_SYNC_WORKERS = 5;
        }
        try (Jedis jedis = Servers.jedis(); Pipeline pipeline = new Pipeline(jedis)) {
            Response<String> pong = pipeline.ping();
            pipeline.sync();
            Check.equal("PONG", pong.get());
        }
    }

    /** Every constructor of spec/surface/java-clients.txt, with values that reach a server. */
    @Case
    void everyConstructor() throws Exception {
        Set<String> clients = Set.of("Jedis", "JedisPool", "JedisPooled", "JedisCluster");
        String client = "";
        int count = 0;
        for (String line : Files.readAllLines(MirrorTests.SURFACE.resolve("java-clients.txt"))) {
            String[] words = line.split(" ");
            client = words[0].equals("client") ? words[1] : client;
            if (words[0].equals("new") && clients.contains(client)) {
                construct(client, List.of(words).subList(1, words.length));
                count++;
            }
        }
        Check.that(count > 130, count + " constructors");
    }

    private static void construct(String client, List<String> names) throws Exception {
        Object[] values = names.stream().map(name -> value(client, name)).toArray();
        for (Constructor<?> one : Class.forName("io.tendon.jedis." + client).getConstructors()) {
            if (takes(one.getParameterTypes(), names, values)) {
                use((Closeable) one.newInstance(values), names);
                return;
            }
        }
        throw new AssertionError(client + " has no constructor of " + names);
    }

    private static Object value(String client, String name) {
        GenericObjectPoolConfig<?> pool = new JedisPoolConfig();
        return switch (name) {
            case "host" -> SERVER.getHost();
            case "port" -> SERVER.getPort();
            case "hostAndPort" -> SERVER;
            case "url" -> "redis://" + SERVER;
            case "uri" -> URI.create("redis://" + SERVER);
            case "node" -> Servers.nodes("cluster").iterator().next();
            case "nodes" -> Servers.nodes("cluster");
            case "socketFactory" -> new DefaultJedisSocketFactory(SERVER);
            case "clientConfig" -> DefaultJedisClientConfig.builder().clientName("typed").build();
            case "poolConfig" -> pool;
            case "clientName" -> "typed";
            case "ssl" -> false;
            case "database" -> client.equals("JedisCluster") ? 0 : 3;
            case "maxAttempts" -> 4;
            case "maxTotalRetriesDuration", "topologyRefreshPeriod" -> Duration.ofSeconds(20);
            case "timeout", "connectionTimeout", "soTimeout", "infiniteSoTimeout" -> 20_000;
            default -> null; /* user, password and objects of TLS */
        };
    }

    private static boolean takes(Class<?>[] types, List<String> names, Object[] values) {
        boolean fit = types.length == values.length;
        for (int i = 0; fit && i < types.length; i++) {
            boolean named = types[i].getSimpleName().equalsIgnoreCase(names.get(i));
            boolean text = types[i] == String.class
                    && List.of("user", "password").contains(names.get(i));
            Class<?> boxed = MethodType.methodType(types[i]).wrap().returnType();
            fit = values[i] == null ? named || text : boxed.isInstance(values[i]);
        }
        return fit;
    }

    private static void use(Closeable made, List<String> names) throws IOException {
        if (Collections.disjoint(names, WHERE)) {
            made.close(); /* of the default port, where nobody need listen */
        } else if (made instanceof JedisPool pool) {
            try (pool; Jedis jedis = pool.getResource()) {
                check(jedis.clientInfo(), names);
            }
        } else if (made instanceof Jedis jedis) {
            try (jedis) {
                check(jedis.clientInfo(), names);
            }
        } else {
            try (UnifiedJedis client = (UnifiedJedis) made) {
                check(client.clientInfo(), names);
            }
        }
    }

    private static void check(String info, List<String> names) {
        boolean named = names.contains("clientName") || names.contains("clientConfig");
        Check.contains(info, named ? " name=typed " : " name= ");
        Check.contains(info, names.contains("database") && !names.contains("node")
                        && !names.contains("nodes") ? " db=3 " : " db=0 ");
    }

    @Case
    void objectsOfJavaAreRefused() throws Exception {
        SSLSocketFactory factory = (SSLSocketFactory) SSLSocketFactory.getDefault();
        SSLParameters parameters = new SSLParameters();
        Check.contains(refusal(() -> new Jedis("localhost", 1, true, factory, null, null)),
                "sslSocketFactory");
        Check.contains(refusal(() -> new Jedis(URI.create("rediss://localhost:1"), 100, null,
                parameters, null)), "sslParameters");
        Check.contains(refusal(() -> new JedisPool("localhost", 1, true, null, null,
                (host, session) -> true)), "hostnameVerifier");
        Check.contains(refusal(() -> new JedisCluster(Set.of(SERVER), null, null, one -> one)),
                "hostAndPortMapper");
        JedisSocketFactory own = Socket::new;
        Check.contains(refusal(() -> new Jedis(own)), "socketFactory");
        Check.fails(NullPointerException.class, () -> new JedisPool((String) null));
        Check.fails(NullPointerException.class, () -> new Jedis(SERVER, (JedisClientConfig) null));
    }

    private static String refusal(Check.Action action) {
        return Check.fails(JedisValidationException.class, action).getMessage();
    }

    @Case
    void socketFactoryKeepsTls() {
        HostAndPort server = Servers.address("tls");
        JedisClientConfig tls = Servers.patient().sslOptions(Servers.trust().build()).build();
        DefaultJedisSocketFactory factory = new DefaultJedisSocketFactory(server, tls);
        Check.equal(server, factory.getHostAndPort());
        Check.fails(UnsupportedOperationException.class, factory::createSocket);
        JedisClientConfig plain = DefaultJedisClientConfig.builder().build();
        try (Jedis one = new Jedis(factory); Jedis other = new Jedis(factory, plain)) {
            Check.equal("PONG", one.ping());
            Check.equal("PONG", other.ping());
        }
    }

    @Case
    void exceptionsKnowTheirNode() {
        HostAndPort node = new HostAndPort("h", 7);
        JedisMovedDataException moved = new JedisMovedDataException("MOVED 5 h:7", node, 5);
        Check.equal(node, moved.getTargetNode());
        Check.equal(5, moved.getSlot());
        Check.equal(node, new JedisAskDataException(moved, node, 5).getTargetNode());
        Check.equal(node, new JedisClusterOperationException("x", node).getNode());
        Check.equal(null, new JedisClusterOperationException("x").getNode());
    }

    @Case
    void answersThatAProgramMakes() {
        StreamEntryID id = new StreamEntryID(1, 2);
        StreamEntry claimed = new StreamEntry(id, Map.of("a", "b"), 30L, 2L);
        Check.equal(30L, claimed.getMillisElapsedFromDelivery());
        Check.equal(2L, claimed.getDeliveredCount());
        Check.equal(true, claimed.isClaimed());
        Check.equal(false, new StreamEntry(id, Map.of()).isClaimed());
        Check.equal(null, new StreamEntryBinary(id, Map.of()).getDeliveredCount());
        StreamPendingEntry pending = new StreamPendingEntry(id, "me", 5, 6);
        Check.equal(id, pending.getID());
        Check.equal("me", pending.getConsumerName());
        Check.equal(6L, pending.getDeliveredTimes());
        Check.equal(pending, new StreamPendingEntry(id, "me", 5, 6));
        Check.equal(7, new Module("search", 7).getVersion());
        Check.equal("lua", new LibraryInfo("lib", "lua", List.of()).getEngine());
        Check.equal(new Tuple("a", 1.5), new Tuple("a".getBytes(), 1.5));
        Check.equal(new GeoCoordinate(1, 2), new GeoCoordinate(1, 2));
        GeoRadiusResponse found = new GeoRadiusResponse("here".getBytes());
        found.setDistance(3);
        Check.that(!found.equals(new GeoRadiusResponse("here".getBytes())), "another distance");
        Check.equal(4L, new LCSMatchResult(List.of(), 4).getLen());
        ScanResult<String> step = new ScanResult<>("0", List.of("k"));
        Check.equal(true, step.isCompleteIteration());
    }

    @Case
    void whatAStreamTells() {
        try (Jedis jedis = Servers.jedis()) {
            jedis.xadd(P + "stream", new StreamEntryID("1-1"), Map.of("a", "b"));
            StreamInfo info = jedis.xinfoStream(P + "stream");
            Check.equal(1L, info.getLength());
            Check.equal(false, info.getFirstEntry().isClaimed());
            Check.equal(null, info.getFirstEntry().getDeliveredCount());
            boolean isOld = !info.getStreamInfo().containsKey("pids-tracked"); /* before Redis 8 */
            Check.equal(isOld, info.getPidsTracked() == null);
            jedis.del(P + "stream");
        }
    }
}
