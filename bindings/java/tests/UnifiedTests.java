package io.tendon.jedis.tests;

import io.tendon.jedis.AbstractPipeline;
import io.tendon.jedis.AsyncJedis;
import io.tendon.jedis.BuilderFactory;
import io.tendon.jedis.ClientSetInfoConfig;
import io.tendon.jedis.CommandArguments;
import io.tendon.jedis.CommandObject;
import io.tendon.jedis.DefaultRedisCredentials;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.Pipeline;
import io.tendon.jedis.Protocol;
import io.tendon.jedis.RedisClient;
import io.tendon.jedis.RedisClusterClient;
import io.tendon.jedis.RedisCredentials;
import io.tendon.jedis.RedisCredentialsProvider;
import io.tendon.jedis.Response;
import io.tendon.jedis.ScanIteration;
import io.tendon.jedis.Transaction;
import io.tendon.jedis.exceptions.JedisDataException;
import io.tendon.jedis.exceptions.JedisException;
import io.tendon.jedis.exceptions.JedisValidationException;
import io.tendon.jedis.util.PrefixedKeyArgumentPreProcessor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/** What the pooled clients have beyond the commands of Jedis. */
final class UnifiedTests {
    private static final String P = "java:unified:";

    private static RedisClusterClient cluster() {
        return RedisClusterClient.create(Servers.nodes("cluster"));
    }

    @Case
    void redisClient() {
        var server = Servers.address("standalone");
        try (RedisClient client = RedisClient.create(server)) {
            Check.equal("PONG", client.ping());
        }
        String url = "redis://" + server.getHost() + ":" + server.getPort() + "/1";
        try (RedisClient client = RedisClient.create(url)) {
            Check.contains(client.clientInfo(), " db=1 ");
        }
        try (RedisClient client = RedisClient.builder().hostAndPort(server)
                        .clientConfig(Servers.config().clientName("named").build()).build()) {
            Check.equal("named", client.clientGetname());
        }
    }

    @Case
    void clusterSplitsBySlots() {
        try (RedisClusterClient client = cluster()) {
            String[] keys = new String[40];
            String[] pairs = new String[80];
            for (int i = 0; i < keys.length; i++) {
                keys[i] = pairs[2 * i] = P + i;
                pairs[2 * i + 1] = "v" + i;
            }
            Check.equal("OK", client.mset(pairs));
            Check.equal(40L, client.exists(keys));
            Check.equal(40L, client.touch(keys));
            List<String> values = client.mget(keys);
            for (int i = 0; i < keys.length; i++) {
                Check.equal("v" + i, values.get(i));
            }
            Check.equal(null, client.mget(P + "none", P + "1").get(0));
            Check.equal(20L, client.unlink(java.util.Arrays.copyOf(keys, 20)));
            Check.equal(20L, client.del(keys));
            Check.fails(JedisDataException.class, () -> client.mset(P + "odd"));
            Check.fails(NullPointerException.class, () -> client.del(P + "1", null));
            Check.fails(UnsupportedOperationException.class, () -> client.transaction(false));
        }
    }

    @Case
    void clusterBroadcasts() {
        try (RedisClusterClient client = cluster()) {
            String sha = client.scriptLoad("return 'everywhere'", P);
            CommandArguments load = new CommandArguments(Protocol.Command.SCRIPT).add("LOAD")
                                            .add("return 'everywhere'");
            Check.equal(sha, client.broadcastCommand(
                    new CommandObject<>(load, BuilderFactory.STRING)));
            for (int i = 0; i < 20; i++) {
                Check.equal(true, client.scriptExists(sha, P + i));
                Check.equal("everywhere", client.evalsha(sha, P + i));
            }
            CommandArguments wrong = new CommandArguments(Protocol.Command.SCRIPT).add("NOSUCH");
            Check.fails(JedisDataException.class, () -> client.broadcastCommand(
                    new CommandObject<>(wrong, BuilderFactory.STRING)));
        }
    }

    @Case
    void scansEverything() {
        try (RedisClusterClient client = cluster();
                JedisPooled alone = new JedisPooled(Servers.address("standalone"))) {
            for (var one : List.of(client, alone)) {
                Set<String> wanted = new HashSet<>();
                try (AbstractPipeline pipeline = one.pipelined()) {
                    for (int i = 0; i < 300; i++) {
                        wanted.add(P + "scan:" + i);
                        pipeline.setex(P + "scan:" + i, 100, "v");
                    }
                }
                ScanIteration scan = one.scanIteration(50, P + "scan:*");
                Set<String> found = new HashSet<>(scan.nextBatchList());
                scan.collect(found);
                Check.equal(wanted, found);
                Check.equal(true, scan.isIterationCompleted());
                Check.fails(java.util.NoSuchElementException.class, scan::nextBatch);
                Check.equal(0, one.scanIteration(500, P + "scan:*", "hash")
                                       .collect(new ArrayList<>()).size());
                wanted.forEach(key -> one.del(key));
            }
        }
    }

    @Case
    void keysWithAPrefix() {
        var prefix = new PrefixedKeyArgumentPreProcessor(P + "prefix:");
        var config = Servers.config().commandKeyArgumentPreProcessor(prefix).build();
        var server = Servers.address("standalone");
        try (JedisPooled plain = new JedisPooled(server);
                JedisPooled client = new JedisPooled(server, config);
                AsyncJedis async = new AsyncJedis(server, config)) {
            client.set("a", "1");
            Check.equal("1", plain.get(P + "prefix:a"));
            client.mset("b", "2", "c", "3");
            Check.equal(List.of("1", "2", "3"), client.mget("a", "b", "c"));
            Check.equal("a", client.eval("return ARGV[1]", 1, "a", "a"));
            Check.equal(P + "prefix:a", client.eval("return KEYS[1]", List.of("a"), List.of()));
            try (Pipeline pipeline = client.pipelined()) {
                Response<String> a = pipeline.get("a");
                pipeline.sync();
                Check.equal("1", a.get());
            }
            try (Transaction transaction = client.transaction(false)) {
                transaction.watch("a");
                transaction.multi();
                transaction.incr("a");
                Check.equal(List.of(2L), transaction.exec());
            }
            Check.equal("2", AsyncFace.await(async.get("a")));
            client.zadd("z", Map.of("m", 1.0));
            client.zunionstore("d", "z", "z");
            Check.equal(1L, plain.zcard(P + "prefix:d"));
            client.setKeyArgumentPreProcessor(null);
            Check.equal(null, client.get("a"));
            String[] all = new String[100];
            java.util.Arrays.fill(all, "b");
            client.setKeyArgumentPreProcessor(prefix);
            Check.equal(100L, client.exists(all));
            Check.equal(5L, client.del("a", "b", "c", "d", "z"));
        }
    }

    @Case
    void credentialsFromAProvider() {
        AtomicInteger prepared = new AtomicInteger();
        AtomicInteger cleaned = new AtomicInteger();
        var acl = Servers.get("acl");
        var secret = new DefaultRedisCredentials(
                (String) acl.get("username"), (String) acl.get("password"));
        Check.that(!secret.toString().contains((String) acl.get("password")), "no secret is shown");
        RedisCredentialsProvider provider = new RedisCredentialsProvider() {
            @Override
            public void prepare() {
                prepared.incrementAndGet();
            }

            @Override
            public RedisCredentials get() {
                return secret;
            }

            @Override
            public void cleanUp() {
                cleaned.incrementAndGet();
            }
        };
        var config = Servers.config().credentialsProvider(provider).build();
        try (JedisPooled client = new JedisPooled(Servers.address("acl"), config)) {
            Check.equal(acl.get("username"), client.aclWhoAmI());
        }
        Check.equal(1, prepared.get());
        Check.equal(1, cleaned.get());
        var wrong = Servers.config().credentials(new DefaultRedisCredentials("app", "no")).build();
        try (JedisPooled client = new JedisPooled(Servers.address("acl"), wrong)) {
            Check.fails(io.tendon.jedis.exceptions.JedisAccessControlException.class, client::ping);
        }
    }

    @Case
    void otherSettings() {
        var built = Servers.config()
                            .autoNegotiateProtocol(true)
                            .blockingSocketTimeoutMillis(5)
                            .clientSetInfoConfig(ClientSetInfoConfig.withLibNameSuffix("mine"))
                            .build();
        var copy = Servers.config().from(built).build();
        Check.equal(true, copy.isAutoNegotiateProtocol());
        Check.equal(5, copy.getBlockingSocketTimeoutMillis());
        Check.equal("mine", copy.getClientSetInfoConfig().getUpstreamDrivers());
        try (JedisPooled client = new JedisPooled(Servers.address("standalone"), copy)) {
            Check.contains(client.clientInfo(), " resp=3");
        }
        JedisException refused = Check.fails(JedisValidationException.class,
                () -> new JedisPooled(Servers.address("standalone"),
                        Servers.config().hostAndPortMapper(address -> address).build()));
        Check.contains(refused.getMessage(), "hostAndPortMapper");
        try (RedisClusterClient client = RedisClusterClient.builder()
                        .nodes(Servers.nodes("cluster")).maxAttempts(3)
                        .maxTotalRetriesDuration(Duration.ofSeconds(9))
                        .topologyRefreshPeriod(Duration.ofSeconds(30)).build()) {
            Check.equal("PONG", client.ping());
        }
    }
}
