package io.tendon.jedis.tests;

import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.Protocol.Command;
import io.tendon.jedis.StreamEntryID;
import io.tendon.jedis.exceptions.Executed;
import io.tendon.jedis.exceptions.JedisDataException;
import io.tendon.jedis.params.XReadParams;
import io.tendon.jedis.resps.AccessControlUser;
import io.tendon.jedis.util.KeyValue;
import io.tendon.jedis.util.SafeEncoder;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Raw replies of every type, and replies and commands of every size around the limits of the
 * buffer.
 */
final class ReplyTests {
    private static JedisPooled resp3() {
        return new JedisPooled(Servers.address("standalone"), Servers.config().resp3().build());
    }

    private static Object debug(JedisPooled client, String type) {
        return client.sendCommand(Command.DEBUG, "PROTOCOL", type);
    }

    @Case
    void everyTypeOfResp3() {
        try (JedisPooled client = resp3()) {
            Check.equal("Hello World", SafeEncoder.encodeObject(debug(client, "string")));
            Check.equal(12345L, debug(client, "integer"));
            Check.equal(3.141, debug(client, "double"));
            Check.equal(null, debug(client, "null"));
            Check.equal(List.of(0L, 1L, 2L), debug(client, "array"));
            Check.equal(List.of(0L, 1L, 2L), debug(client, "set"));
            Check.equal(true, debug(client, "true"));
            Check.equal(false, debug(client, "false"));
            Check.equal(new BigInteger("1234567999999999999999999999999999999"),
                    debug(client, "bignum"));
            Check.contains(
                    (String) SafeEncoder.encodeObject(debug(client, "verbatim")), "verbatim");
            List<?> map = (List<?>) debug(client, "map");
            Check.equal(new KeyValue<>(1L, true), map.get(1));
        }
    }

    @Case
    void errorsInsideArrays() {
        try (Jedis jedis = Servers.jedis()) {
            List<?> reply =
                    (List<?>) jedis.eval("return {1, {err = 'MINE inner'}, redis.pcall('nosuch')}");
            Check.equal(1L, reply.get(0));
            Check.equal("MINE inner", ((JedisDataException) reply.get(1)).getMessage());
            Check.that(reply.get(2) instanceof JedisDataException, "a nested error is a value");
        }
    }

    @Case
    void streamsOfBytesAreListsAsInJedis() {
        byte[] stream = SafeEncoder.encode("java:reply:stream");
        for (JedisPooled each : List.of(resp3(), new JedisPooled(Servers.address("standalone")))) {
            try (JedisPooled client = each) {
                client.del(stream);
                client.xadd("java:reply:stream", new StreamEntryID(1, 1), Map.of("field", "value"));
                List<Object> streams =
                        client.xread(new XReadParams(), Calls.entries("java:reply:stream", "0"));
                List<?> pair = (List<?>) streams.get(0);
                Check.that(Arrays.equals(stream, (byte[]) pair.get(0)), "the name comes first");
                Check.equal(1, ((List<?>) pair.get(1)).size());
                client.del(stream);
            }
        }
    }

    @Case
    void keysAndChannelsOfUsersAsTextAndAsWords() {
        try (Jedis jedis = Servers.jedis()) {
            jedis.aclSetUser("java-reply", "~a*", "~b*", "&c*");
            AccessControlUser user = jedis.aclGetUser("java-reply");
            Check.equal("~a* ~b*", user.getKeys());
            Check.equal(List.of("~a*", "~b*"), user.getKeysList());
            Check.equal(List.of("&c*"), user.getChannelsList());
            jedis.aclDelUser("java-reply");
        }
    }

    @Case
    void errorsSayWhatIsKnown() {
        try (Jedis jedis = Servers.jedis()) {
            jedis.set("java:reply:type", "v");
            JedisDataException error =
                    Check.fails(JedisDataException.class, () -> jedis.lpop("java:reply:type"));
            Check.contains(error.getMessage(), "WRONGTYPE Operation against");
            Check.equal("WRONGTYPE", error.prefix());
            Check.equal(0, error.status());
            Check.equal(Executed.UNKNOWN, error.executed());
            Check.equal(false, jedis.isBroken());
            jedis.del("java:reply:type");
        }
    }

    @Case
    void sizesAroundTheBuffer() {
        try (Jedis jedis = Servers.jedis(); JedisPooled pooled = resp3()) {
            byte[] key = SafeEncoder.encode("java:reply:size");
            for (int size : new int[] {0, 1, 8100, 8176, 8191, 8192, 8193, 65536, (1 << 20) - 64,
                         1 << 20, (1 << 20) + 1, 5_000_000}) {
                byte[] value = new byte[size];
                new Random(size).nextBytes(value);
                jedis.set(key, value);
                Check.that(Arrays.equals(value, jedis.get(key)), "value of " + size + " bytes");
                Check.that(Arrays.equals(value, pooled.get(key)),
                        "value of " + size + " bytes, pooled");
            }
            jedis.del(key);
        }
    }

    @Case
    void manyElements() {
        try (Jedis jedis = Servers.jedis()) {
            List<?> reply = (List<?>) jedis.eval(
                    "local t = {} for i = 1, 200000 do t[i] = i end return t");
            Check.equal(200_000, reply.size());
            Check.equal(200_000L, reply.get(199_999));
            String[] members = new String[50_000];
            Arrays.setAll(members, Integer::toString);
            jedis.del("java:reply:many");
            Check.equal(50_000L, jedis.sadd("java:reply:many", members));
            Check.equal(50_000, jedis.smembers("java:reply:many").size());
            jedis.del("java:reply:many");
        }
    }

    @Case
    void deepNesting() {
        try (Jedis jedis = Servers.jedis()) {
            Object reply = jedis.eval("local t = {} for i = 1, 30 do t = {t} end return t");
            for (int i = 0; i < 30; i++) {
                reply = ((List<?>) reply).get(0);
            }
            Check.equal(List.of(), reply);
        }
    }

    @Case
    void textIsUtf8() {
        try (Jedis jedis = Servers.jedis()) {
            String text = "Grüße 👋 \0 \uFFFD";
            Check.equal(text, jedis.echo(text));
            Check.equal(text, new String(jedis.echo(text.getBytes(StandardCharsets.UTF_8)),
                    StandardCharsets.UTF_8));
        }
    }
}
