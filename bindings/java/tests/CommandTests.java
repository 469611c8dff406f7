package io.tendon.jedis.tests;

import io.tendon.jedis.AsyncJedis;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisPool;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.Protocol;
import io.tendon.jedis.commands.JedisCommands;
import io.tendon.jedis.args.ListDirection;
import io.tendon.jedis.args.ListPosition;
import io.tendon.jedis.exceptions.JedisDataException;
import io.tendon.jedis.exceptions.JedisNoScriptException;
import io.tendon.jedis.params.ScanParams;
import io.tendon.jedis.params.SetParams;
import io.tendon.jedis.params.ZAddParams;
import io.tendon.jedis.resps.ScanResult;
import io.tendon.jedis.resps.Tuple;
import io.tendon.jedis.util.KeyValue;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Every group of commands with Jedis' types, on each kind of client and with both protocol
 * versions.
 */
final class CommandTests {
    private static final String P = "java:commands:";

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** On a pooled Jedis, and on a JedisPooled and an AsyncJedis with RESP2 and RESP3. */
    private static void everywhere(Consumer<JedisCommands> test) {
        try (JedisPool pool = Servers.pool(2); Jedis jedis = pool.getResource()) {
            test.accept(jedis);
        }
        for (boolean resp3 : new boolean[] {false, true}) {
            var config = Servers.config();
            var built = (resp3 ? config.resp3() : config.resp2()).build();
            try (JedisPooled client = new JedisPooled(Servers.address("standalone"), built)) {
                test.accept(client);
            }
            try (AsyncJedis client = new AsyncJedis(Servers.address("standalone"), built)) {
                test.accept(AsyncFace.of(client));
            }
        }
    }

    /** Some of the time may have passed on a busy machine. */
    private static boolean lives(long seconds, long given) {
        return seconds <= given && seconds > given - 20;
    }

    private static String fresh(JedisCommands client, String name) {
        client.del(P + name);
        return P + name;
    }

    @Case
    void strings() {
        everywhere(client -> {
            String key = fresh(client, "string");
            Check.equal(null, client.get(key));
            Check.equal("OK", client.set(key, "grün"));
            Check.equal("grün", client.get(key));
            Check.equal(null, client.set(key, "x", SetParams.setParams().nx().ex(10)));
            Check.equal("OK", client.set(key, "y", SetParams.setParams().xx().px(10_000)));
            Check.that(client.pttl(key) > 5000, "px sets the life time");
            Check.equal("OK", client.setex(key, 100, "1"));
            Check.that(lives(client.ttl(key), 100), "setex sets the life time");
            Check.equal("OK", client.psetex(key, 100_000, "1"));
            Check.equal(0L, client.setnx(key, "2"));
            Check.equal(2L, client.incr(key));
            Check.equal(12L, client.incrBy(key, 10));
            Check.equal(11L, client.decr(key));
            Check.equal(12.5, client.incrByFloat(key, 1.5));
            Check.equal(6L, client.append(key, "ab"));
            Check.equal("12.5ab", client.getSet(key, "new"));
            Check.equal("new", client.setGet(key, "newer"));
            Check.equal("ew", client.getrange(key, 1, 2));
            Check.equal("newer", client.getDel(key));
            Check.equal("OK", client.mset(key, "a", key + "2", "b"));
            Check.equal(Arrays.asList("a", null, "b"), client.mget(key, P + "none", key + "2"));
            Check.equal(2L, client.del(key, key + "2", P + "none"));
        });
    }

    @Case
    void binaryTwins() {
        everywhere(client -> {
            byte[] key = bytes(P + "bin\0\r\n" + "ary");
            byte[] value = {0, 1, (byte) 255, '\r', '\n'};
            client.del(key);
            Check.equal("OK", client.set(key, value));
            Check.equal(value, client.get(key));
            Check.equal("OK", client.setex(key, 100, value));
            Check.equal(1L, client.del(key));
            client.hset(key, value, value);
            Check.equal(value, client.hgetAll(key).get(value.clone()));
            client.del(key);
            client.rpush(key, value, new byte[0]);
            Check.equal(new byte[0], client.lrange(key, 0, -1).get(1));
            Check.equal(1L, client.del(key));
        });
    }

    @Case
    void keys() {
        everywhere(client -> {
            String key = fresh(client, "key");
            Check.equal(false, client.exists(key));
            client.set(key, "v");
            Check.equal(true, client.exists(key));
            Check.equal(1L, client.exists(key, P + "none"));
            Check.equal(1L, client.expire(key, 50));
            Check.that(lives(client.ttl(key), 50), "expire sets the life time");
            Check.equal(1L, client.persist(key));
            Check.equal(-1L, client.pttl(key));
            Check.equal("string", client.type(key));
            Check.equal("none", client.type(P + "none"));
            Check.equal("OK", client.rename(key, key + "2"));
            Check.equal(true, client.copy(key + "2", key, true));
            Check.equal(Set.of(key, key + "2"), client.keys(P + "key*"));
            Check.equal(2L, client.unlink(key, key + "2"));
        });
    }

    @Case
    void scan() {
        everywhere(client -> {
            Set<String> wanted = new HashSet<>();
            for (int i = 0; i < 30; i++) {
                client.set(P + "scan:" + i, "v");
                wanted.add(P + "scan:" + i);
            }
            Set<String> found = new HashSet<>();
            String cursor = ScanParams.SCAN_POINTER_START;
            do {
                ScanResult<String> step =
                        client.scan(cursor, new ScanParams().match(P + "scan:*").count(100));
                found.addAll(step.getResult());
                cursor = step.getCursor();
            } while (!cursor.equals("0"));
            Check.equal(wanted, found);
            client.del(wanted.toArray(new String[0]));
        });
    }

    @Case
    void hashes() {
        everywhere(client -> {
            String key = fresh(client, "hash");
            Check.equal(Map.of(), client.hgetAll(key));
            Check.equal(1L, client.hset(key, "f", "1"));
            Check.equal(1L, client.hset(key, Map.of("f", "1", "g", "2")));
            Check.equal("1", client.hget(key, "f"));
            Check.equal(null, client.hget(key, "none"));
            Check.equal(Arrays.asList("1", null), client.hmget(key, "f", "none"));
            Check.equal(Map.of("f", "1", "g", "2"), client.hgetAll(key));
            Check.equal(Set.of("f", "g"), client.hkeys(key));
            Check.equal(true, client.hexists(key, "f"));
            Check.equal(6L, client.hincrBy(key, "f", 5));
            Check.equal(6.5, client.hincrByFloat(key, "f", 0.5));
            Check.equal(2, client.hscan(key, "0").getResult().size());
            Check.equal(2L, client.hdel(key, "f", "g", "none"));
        });
    }

    @Case
    void lists() {
        everywhere(client -> {
            String key = fresh(client, "list");
            Check.equal(List.of(), client.lrange(key, 0, -1));
            Check.equal(2L, client.lpush(key, "b", "a"));
            Check.equal(3L, client.rpush(key, "c"));
            Check.equal(4L, client.linsert(key, ListPosition.BEFORE, "c", "bb"));
            Check.equal(List.of("a", "b", "bb", "c"), client.lrange(key, 0, -1));
            Check.equal("a", client.lpop(key));
            Check.equal("c", client.rpop(key));
            Check.equal(List.of("b", "bb"), client.lpop(key, 5));
            Check.equal(null, client.lpop(key));
            Check.equal(null, client.lpop(key, 2));
            client.rpush(key, "x", "y");
            Check.equal("y", client.lmove(key, key, ListDirection.RIGHT, ListDirection.LEFT));
            Check.equal(List.of(key, "y"), client.blpop(1, key));
            Check.equal(new KeyValue<>(key, "x"), client.brpop(1.0, key));
            Check.equal(null, client.blpop(0.05, key));
        });
    }

    @Case
    void sets() {
        everywhere(client -> {
            String key = fresh(client, "set");
            Check.equal(3L, client.sadd(key, "a", "b", "c"));
            Check.equal(Set.of("a", "b", "c"), client.smembers(key));
            Check.equal(1L, client.srem(key, "c", "none"));
            Check.equal(2L, client.scard(key));
            Check.equal(true, client.sismember(key, "a"));
            Check.equal(List.of(true, false), client.smismember(key, "a", "none"));
            Check.equal(Set.of("a", "b"), new HashSet<>(client.sscan(key, "0").getResult()));
            Check.equal(Set.of("a", "b"), client.spop(key, 5));
            Check.equal(Set.of(), client.smembers(key));
        });
    }

    @Case
    void sortedSets() {
        everywhere(client -> {
            String key = fresh(client, "zset");
            Check.equal(1L, client.zadd(key, 1.5, "a"));
            Check.equal(2L, client.zadd(key, Map.of("b", 2.0, "c", Double.POSITIVE_INFINITY)));
            Check.equal(1L, client.zadd(key, 3, "b", ZAddParams.zAddParams().xx().ch()));
            Check.equal(1.5, client.zscore(key, "a"));
            Check.equal(Double.POSITIVE_INFINITY, client.zscore(key, "c"));
            Check.equal(null, client.zscore(key, "none"));
            Check.equal(List.of("a", "b", "c"), client.zrange(key, 0, -1));
            Check.equal(List.of(new Tuple("a", 1.5), new Tuple("b", 3.0)),
                    client.zrangeWithScores(key, 0, 1));
            Check.equal(List.of("a"), client.zrangeByScore(key, Double.NEGATIVE_INFINITY, 2));
            Check.equal(2.5, client.zincrby(key, 1, "a"));
            Check.equal(0L, client.zrank(key, "a"));
            Check.equal(null, client.zrank(key, "none"));
            Check.equal(3, client.zscan(key, "0").getResult().size());
            Check.equal(new Tuple("a", 2.5), client.zpopmin(key));
            Check.equal(List.of(new Tuple("c", Double.POSITIVE_INFINITY)), client.zpopmax(key, 1));
            Check.equal(1L, client.zrem(key, "b"));
            Check.equal(null, client.zpopmin(key));
        });
    }

    @Case
    void server() {
        everywhere(client -> {
            Check.equal("PONG", client.ping());
            Check.equal("hello", client.ping("hello"));
            Check.equal("echo", client.echo("echo"));
            Check.that(client.dbSize() >= 0, "dbSize");
            Check.contains(client.info("server"), "redis_version");
            Check.contains(client.info(), "# Clients");
            Check.equal(2, client.time().size());
            Check.that(client.clientId() > 0, "clientId");
            String before = client.configGet("slowlog-max-len").get("slowlog-max-len");
            Check.equal("OK", client.configSet("slowlog-max-len", "99"));
            Check.equal(Map.of("slowlog-max-len", "99"), client.configGet("slowlog-max-len"));
            client.configSet("slowlog-max-len", before);
        });
    }

    @Case
    void scripts() {
        everywhere(client -> {
            Check.equal(List.of("k", "a", 3L),
                    client.eval("return {KEYS[1], ARGV[1], 3}", List.of("k"), List.of("a")));
            Check.equal("a", client.eval("return ARGV[1]", 0, "a"));
            Check.equal(null, client.eval("return nil"));
            String sha = client.scriptLoad("return 'loaded'");
            Check.equal("loaded", client.evalsha(sha));
            Check.equal(List.of(1L, 0L), client.sendCommand(
                    Protocol.Command.SCRIPT, "EXISTS", sha, "0".repeat(40)));
            Check.fails(JedisNoScriptException.class, () -> client.evalsha("0".repeat(40)));
        });
    }

    @Case
    void sendCommandReachesEveryCommand() {
        everywhere(client -> {
            String key = fresh(client, "raw");
            Check.equal(bytes("OK"), client.sendCommand(Protocol.Command.SET, key, "v"));
            Check.equal(bytes("v"), client.sendCommand(Protocol.Command.GET, bytes(key)));
            Check.equal(bytes("PONG"), client.sendCommand(Protocol.Command.PING));
            Check.equal(1L, client.sendCommand(() -> bytes("GEOADD"), key + "geo", "1", "2", "m"));
            Check.equal(2L, client.sendCommand(Protocol.Command.DEL, key, key + "geo"));
            Check.equal(null, client.sendCommand(Protocol.Command.GET, key));
            JedisDataException error = Check.fails(JedisDataException.class,
                    () -> client.sendCommand(() -> bytes("NOSUCH"), "x"));
            Check.contains(error.getMessage(), "ERR unknown command");
        });
    }

    @Case
    void flushesOnlyItsOwnDatabase() {
        try (JedisPool pool = new JedisPool(
                     Servers.address("standalone"), Servers.config().database(15).build());
                Jedis jedis = pool.getResource()) {
            jedis.set("java:flush", "v");
            Check.equal(true, jedis.dbSize() > 0);
            Check.equal("OK", jedis.flushDB());
            Check.equal(0L, jedis.dbSize());
        }
    }
}
