package io.tendon.jedis.tests;

import io.tendon.jedis.AsyncJedis;
import io.tendon.jedis.CommandArguments;
import io.tendon.jedis.HostAndPort;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisClientConfig;
import io.tendon.jedis.JedisCluster;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.AbstractPipeline;
import io.tendon.jedis.Response;
import io.tendon.jedis.UnifiedJedis;
import io.tendon.jedis.exceptions.JedisDataException;
import io.tendon.jedis.util.JedisClusterCRC16;
import java.io.Closeable;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

/**
 * Every generated method, called once on every kind of client that has it, against a server alone
 * and a cluster, with RESP2 and RESP3; what comes back must be of the type that it declares.
 */
final class SurfaceTests {
    private static final int FAILURES_SHOWN = 40;

    /** One kind of server with one protocol, and all kinds of clients of it. */
    private static final class World implements Closeable {
        final String where;
        final Jedis jedis;
        final UnifiedJedis unified;
        final AsyncJedis async;
        final String version;
        final boolean isValkey;

        World(String where, HostAndPort server, JedisClientConfig config) {
            this.where = where;
            boolean alone = where.equals("standalone");
            unified = alone ? new JedisPooled(server, config)
                            : new JedisCluster(Servers.nodes("cluster"), config);
            async = alone ? new AsyncJedis(server, config)
                          : new AsyncJedis(Servers.nodes("cluster"), config);
            jedis = new Jedis(alone ? server : owner(), config);
            version = field("redis_version");
            isValkey = jedis.info("server").contains("valkey_version:");
        }

        /** The node of a cluster that has the fixture's keys. */
        private HostAndPort owner() {
            long slot = JedisClusterCRC16.getSlot(Fixture.KEYS[0]);
            for (Object range : unified.clusterSlots()) {
                List<?> parts = (List<?>) range;
                if ((Long) parts.get(0) <= slot && slot <= (Long) parts.get(1)) {
                    List<?> node = (List<?>) parts.get(2);
                    return new HostAndPort(
                            (String) node.get(0), ((Long) node.get(1)).intValue());
                }
            }
            throw new IllegalStateException("no node has slot " + slot);
        }

        private String field(String name) {
            String line = jedis.info("server").lines().filter(one -> one.startsWith(name + ":"))
                                  .findFirst().orElse(name + ":0");
            return line.substring(name.length() + 1).trim();
        }

        Object client(String face) {
            return switch (face) {
                case "Jedis" -> jedis;
                case "Unified" -> unified;
                case "Pipeline" -> unified.pipelined();
                default -> async;
            };
        }

        /** The fixture as new. */
        void makeFixture() {
            try (AbstractPipeline pipeline = unified.pipelined()) {
                pipeline.del(Fixture.KEYS);
                for (String[] words : Fixture.MAKE) {
                    pipeline.sendCommand(() -> Calls.bytes(words[0]),
                            Arrays.copyOfRange(words, 1, words.length));
                }
                List<Object> results = pipeline.syncAndReturnAll();
                results.forEach(one -> Check.that(
                        !(one instanceof JedisDataException), "the fixture fails: " + one));
            }
        }

        @Override
        public void close() {
            unified.close();
            jedis.close();
            async.close();
        }
    }

    private static JedisClientConfig config(boolean resp3) {
        var config = Servers.config().socketTimeoutMillis(10_000);
        return (resp3 ? config.resp3() : config.resp2()).build();
    }

    @Case
    void standaloneResp2() {
        everything(new World("standalone", Servers.address("standalone"), config(false)));
    }

    @Case
    void standaloneResp3() {
        everything(new World("standalone", Servers.address("standalone"), config(true)));
    }

    @Case
    void clusterResp2() {
        everything(new World("cluster", null, config(false)));
    }

    @Case
    void clusterResp3() {
        everything(new World("cluster", null, config(true)));
    }

    private static void everything(World world) {
        List<String> failures = new ArrayList<>();
        try (world) {
            world.makeFixture();
            for (Calls.Call call : Fixture.allCalls().all) {
                for (String face : call.faces) {
                    if (!call.isAlone) {
                        one(world, face, call, failures);
                    }
                }
            }
            world.jedis.aclDelUser("tendon-test");
            world.unified.del(Fixture.KEYS);
        }
        report(failures);
    }

    private static void report(List<String> failures) {
        if (!failures.isEmpty()) {
            int shown = Math.min(failures.size(), FAILURES_SHOWN);
            throw new AssertionError(failures.size() + " methods failed\n"
                    + String.join("\n", failures.subList(0, shown)));
        }
    }

    private static void one(World world, String face, Calls.Call call, List<String> failures) {
        String failure;
        try {
            failure = outcome(world, face, call);
        } catch (Exception | AssertionError error) {
            failure = error.toString();
        }
        if (failure != null) {
            failures.add(face + "." + call + ": " + failure);
        }
        if (!call.reads && !call.isAlone) {
            world.makeFixture();
        }
    }

    /** Null, or what is wrong. */
    private static String outcome(World world, String face, Calls.Call call) throws Exception {
        Object client = world.client(face);
        Method method = client.getClass().getMethod(call.method, call.types);
        String[] errors = expected(world, call);
        Object result;
        try {
            result = await(client, method.invoke(client, call.arguments.get()));
        } catch (InvocationTargetException thrown) {
            return judge(thrown.getCause(), errors);
        } catch (RuntimeException failure) {
            return judge(failure, errors);
        }
        // Valkey has some of what later versions of Redis have, and READONLY everywhere.
        if (errors != null && !isUnknown(world, call) && !world.isValkey) {
            return "succeeded, expected " + String.join(" or ", errors);
        }
        if (result == null) {
            return call.mayBeNull ? null : "null";
        }
        Type type = declared(method);
        return fits(type, result) ? null : result.getClass() + " is not the declared " + type;
    }

    private static String[] expected(World world, Calls.Call call) {
        return isUnknown(world, call) ? new String[] {"ERR"}
                                      : call.errors(world.where);
    }

    private static boolean isUnknown(World world, Calls.Call call) {
        return compareVersions(world.version, call.since) < 0;
    }

    static int compareVersions(String one, String other) {
        return Arrays.compare(numbers(one), numbers(other));
    }

    private static int[] numbers(String version) {
        return Arrays.stream(version.split("\\.")).mapToInt(Integer::parseInt).toArray();
    }

    private static String judge(Throwable failure, String[] errors) {
        for (String prefix : errors == null ? new String[0] : errors) {
            if (failure instanceof JedisDataException && failure.getMessage().startsWith(prefix)) {
                return null;
            }
        }
        return failure + (errors == null ? "" : ", expected " + String.join(" or ", errors));
    }

    private static Object await(Object client, Object returned) {
        if (returned instanceof Response<?> response) {
            ((AbstractPipeline) client).sync();
            return response.get();
        }
        return returned instanceof CompletableFuture<?> future ? AsyncFace.await(future) : returned;
    }

    /** The type of the result; of a Response or future, that of what it brings. */
    private static Type declared(Method method) {
        Type type = method.getGenericReturnType();
        boolean wrapped = method.getReturnType() == Response.class
                || method.getReturnType() == CompletableFuture.class;
        return wrapped ? ((ParameterizedType) type).getActualTypeArguments()[0] : type;
    }

    private static boolean fits(Type type, Object value) {
        return TypeCheck.fits(type, value);
    }

    /** Those that would disturb other tests. */
    @Case
    void onAServerOfItsOwn() throws Exception {
        alone(false, new OwnServer());
    }

    @Case
    void onANodeOfItsOwn() throws Exception {
        alone(true, new OwnServer("--cluster-enabled", "yes"));
    }

    private static void alone(boolean isCluster, OwnServer own) throws Exception {
        List<String> failures = new ArrayList<>();
        try (own) {
            for (boolean resp3 : new boolean[] {false, true}) {
                try (World world = new World("standalone", own.address(), config(resp3))) {
                    for (Calls.Call call : Fixture.allCalls().all) {
                        boolean wanted = call.isAlone && call.isOfCluster == isCluster;
                        for (String face : wanted ? call.faces : Set.<String>of()) {
                            one(world, face, call, failures);
                            own.rest(world.jedis, isCluster);
                        }
                    }
                }
            }
        }
        report(failures);
    }

    @Case
    void routesByTheSampleKey() {
        try (JedisCluster cluster = new JedisCluster(Servers.nodes("cluster"))) {
            for (int i = 0; i < 30; i++) {
                String key = "java:surface:" + i;
                String script = "return redis.call('CLUSTER', 'COUNTKEYSINSLOT', "
                        + JedisClusterCRC16.getSlot(key) + ")";
                cluster.setex(key, 100, "v");
                // Keys of other tests may be in that slot; a node that has not the slot says 0.
                Check.that((Long) cluster.eval(script, key) > 0, "another node was asked: " + key);
                Check.equal(cluster.clusterKeySlot(key), (long) JedisClusterCRC16.getSlot(key));
                cluster.del(key);
            }
            CommandArguments own = new CommandArguments(() -> Calls.bytes("PING")).route("x");
            Check.equal("PONG", new String((byte[]) cluster.executeCommand(own)));
        }
    }
}
