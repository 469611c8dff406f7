package io.tendon.jedis.tests;

import io.tendon.jedis.GenericObjectPoolConfig;
import io.tendon.jedis.HostAndPort;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisPool;
import io.tendon.jedis.JedisPoolConfig;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.StreamEntryID;
import io.tendon.jedis.args.ExpiryOption;
import io.tendon.jedis.commands.ProtocolCommand;
import io.tendon.jedis.exceptions.Executed;
import io.tendon.jedis.exceptions.InvalidURIException;
import io.tendon.jedis.exceptions.JedisAccessControlException;
import io.tendon.jedis.exceptions.JedisConnectionException;
import io.tendon.jedis.exceptions.JedisDataException;
import io.tendon.jedis.exceptions.JedisException;
import io.tendon.jedis.exceptions.JedisValidationException;
import io.tendon.jedis.params.ClientKillParams;
import io.tendon.jedis.params.SetParams;
import io.tendon.jedis.params.XTrimParams;
import io.tendon.jedis.params.ZAddParams;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;

/**
 * The "bad input" of the issue: each case has its exception, within its deadline. TLS has its own
 * class.
 */
final class BadInputTests {
    /* Far below the time-out LONG_MS: what ends by then was not ended by that. */
    private static final Duration AT_ONCE = Duration.ofSeconds(15);
    private static final int LONG_MS = 30_000;
    /* For short time-outs that a busy machine notices late. */
    private static final Duration SOON = Duration.ofSeconds(20);
    private static final HostAndPort SERVER = Servers.address("standalone");

    @Case
    void wrongOptionName() {
        JedisValidationException failure = Check.fails(JedisValidationException.class,
                () -> new JedisPool(SERVER, Servers.config().option("pool_maximum", "5").build()));
        Check.contains(failure.getMessage(), "pool_maximum");
        Check.contains(failure.getMessage(), "pool_max");
        Check.equal(-8, failure.status());
        Check.equal(Executed.NO, failure.executed());
        Check.fails(JedisValidationException.class,
                () -> new JedisPool(SERVER, Servers.config().option("mode\0", "auto").build()));
    }

    @Case
    void wrongOptionValue() {
        JedisValidationException negative = Check.fails(JedisValidationException.class,
                () -> new JedisPool(new JedisPoolConfig(), "localhost", SERVER.getPort(), -5));
        Check.contains(negative.getMessage(), "timeout");
        JedisValidationException port = Check.fails(JedisValidationException.class,
                () -> new JedisPool("localhost", 70_000));
        Check.contains(port.getMessage(), "port");
        JedisValidationException name = Check.fails(JedisValidationException.class,
                () -> new JedisPool(SERVER, Servers.config().clientName("two words").build()));
        Check.contains(name.getMessage(), "client_name");
        GenericObjectPoolConfig<Jedis> none = new GenericObjectPoolConfig<>();
        none.setMaxTotal(0);
        Check.contains(
                Check.fails(JedisValidationException.class, () -> Servers.pool(none)).getMessage(),
                "maxTotal");
    }

    @Case
    void malformedUrl() {
        for (String url : new String[] {"http://localhost:6379", "redis://localhost:port",
                     "redis://%zz@h:1", "redis://h:1/0?nonsense=1", "nonsense:6379",
                     "redis//localhost", "redis://h:1/0\0"}) {
            JedisException failure = null;
            try (JedisPool pool = new JedisPool(url)) {
                pool.getNumIdle();
            } catch (InvalidURIException | JedisValidationException expected) {
                failure = expected;
            }
            Check.that(failure != null, url + " is refused");
            Check.equal(Executed.NO, failure.executed());
        }
        InvalidURIException secret = Check.fails(InvalidURIException.class,
                () -> new Jedis("redis://user:hunter2@localhost:99999"));
        Check.that(!secret.getMessage().contains("hunter2"), "the password is not in the message");
    }

    @Case
    void wrongPassword() {
        JedisPool pool = new JedisPool(
                new JedisPoolConfig(), "localhost", Servers.port("acl"), LONG_MS, "wrong");
        try (pool) {
            JedisAccessControlException failure = Check.failsWithin(
                    AT_ONCE, JedisAccessControlException.class, pool::getResource);
            Check.equal("WRONGPASS", failure.prefix());
            Check.equal(Executed.NO, failure.executed());
            Check.that(!failure.getMessage().contains("wrong,"), "no secret");
        }
        Check.failsWithin(AT_ONCE, JedisAccessControlException.class,
                ()
                        -> new Jedis("localhost", Servers.port("acl"),
                                Servers.patient().user("app").password("no").build()));
        try (JedisPooled client = new JedisPooled(Servers.address("acl"),
                     Servers.patient().user("app").password("no").build())) {
            Check.failsWithin(AT_ONCE, JedisAccessControlException.class, client::ping);
        }
    }

    @Case
    void noPasswordAndNoPermission() {
        try (Jedis jedis = new Jedis("localhost", Servers.port("acl"))) {
            JedisAccessControlException failure =
                    Check.fails(JedisAccessControlException.class, () -> jedis.get("x"));
            Check.contains(failure.getMessage(), "NOAUTH");
        }
        var reader = Servers.config().user(Servers.text("acl", "readonly_username"))
                .password(Servers.text("acl", "readonly_password")).build();
        try (Jedis jedis = new Jedis(Servers.address("acl"), reader)) {
            JedisAccessControlException failure =
                    Check.fails(JedisAccessControlException.class, () -> jedis.set("app:x", "v"));
            Check.contains(failure.getMessage(), "NOPERM");
        }
    }

    @Case
    void databaseOutOfRange() {
        try (JedisPool pool = new JedisPool(SERVER, Servers.patient().database(99).build())) {
            JedisDataException failure =
                    Check.failsWithin(AT_ONCE, JedisDataException.class, pool::getResource);
            Check.contains(failure.getMessage(), "out of range");
        }
    }

    @Case
    void nobodyListens() {
        try (JedisPool pool = new JedisPool(new JedisPoolConfig(), "localhost", 15698, LONG_MS)) {
            JedisConnectionException failure =
                    Check.failsWithin(AT_ONCE, JedisConnectionException.class, pool::getResource);
            Check.contains(failure.getMessage(), "15698");
            Check.equal(-21, failure.status());
            Check.equal(Executed.NO, failure.executed());
        }
        HostAndPort nobody = new HostAndPort("localhost", 15698);
        try (JedisPooled client = new JedisPooled(nobody, Servers.patient().build())) {
            Check.failsWithin(AT_ONCE, JedisConnectionException.class, client::ping);
        }
    }

    @Case
    void unreachableHost() {
        /* 192.0.2.0/24 is for documentation: packets vanish, or the network refuses. */
        try (JedisPool pool = new JedisPool(new JedisPoolConfig(), "192.0.2.1", 6379, 400)) {
            JedisConnectionException failure = Check.failsWithin(SOON,
                    JedisConnectionException.class, pool::getResource);
            Check.that(failure.status() == -22 || failure.status() == -21,
                    "status " + failure.status());
            Check.equal(Executed.NO, failure.executed());
        }
    }

    @Case
    void unknownHost() {
        /* Two dots in a row are no name, so no name server is asked, who may be slow or away. */
        try (JedisPool pool =
                        new JedisPool(new JedisPoolConfig(), "no..such.invalid", 6379, LONG_MS)) {
            JedisConnectionException failure = Check.failsWithin(SOON,
                    JedisConnectionException.class, pool::getResource);
            Check.contains(failure.getMessage(), "no..such.invalid");
            Check.equal(Executed.NO, failure.executed());
        }
    }

    @Case
    void serverThatAnswersGarbage() throws Exception {
        try (FakeServer garbage = new FakeServer("HTTP/1.1 400 Bad Request\r\n\r\n".getBytes());
                JedisPool pool = new JedisPool(
                        new JedisPoolConfig(), "127.0.0.1", garbage.port(), LONG_MS)) {
            JedisConnectionException failure = Check.failsWithin(SOON,
                    JedisConnectionException.class, () -> pool.withResource(Jedis::ping));
            Check.equal(-32, failure.status());
        }
    }

    @Case
    void serverThatNeverAnswers() throws Exception {
        try (FakeServer silent = new FakeServer(new byte[0]);
                JedisPool pool =
                        new JedisPool(new JedisPoolConfig(), "127.0.0.1", silent.port(), 400)) {
            JedisConnectionException failure = Check.failsWithin(SOON,
                    JedisConnectionException.class, () -> pool.withResource(Jedis::ping));
            Check.that(failure.getCause() instanceof java.net.SocketTimeoutException, "a time-out");
        }
    }

    @Case
    void valueOf600Megabytes() {
        byte[] value = new byte[600 << 20];
        try (Jedis jedis = new Jedis(SERVER); JedisPooled pooled = new JedisPooled(SERVER)) {
            jedis.set("java:bad:huge", "before");
            JedisDataException failure = Check.fails(JedisDataException.class,
                    () -> jedis.set("java:bad:huge".getBytes(), value));
            Check.equal(-33, failure.status());
            Check.equal(Executed.NO, failure.executed());
            Check.contains(failure.getMessage(), "max_request_bytes");
            Check.equal(false, jedis.isBroken());
            Check.equal("before", jedis.get("java:bad:huge"));
            Check.fails(
                    JedisDataException.class, () -> pooled.set("java:bad:huge".getBytes(), value));
            Check.equal("before", pooled.get("java:bad:huge"));
            jedis.del("java:bad:huge");
        }
    }

    @Case
    void keyWithNulBytes() {
        try (Jedis jedis = new Jedis(SERVER)) {
            String key = "java:bad:\0nul\0";
            jedis.set(key, "v\0w");
            Check.equal("v\0w", jedis.get(key));
            Check.equal(null, jedis.get("java:bad:"));
            Check.equal(1L, jedis.del(key.getBytes(StandardCharsets.UTF_8)));
        }
    }

    @Case
    void nullArguments() {
        try (Jedis jedis = new Jedis(SERVER)) {
            /* texts and elements */
            Check.fails(IllegalArgumentException.class,
                    () -> jedis.set("java:bad:null", (String) null));
            Check.fails(IllegalArgumentException.class, () -> jedis.hget("java:bad:null", null));
            Check.fails(IllegalArgumentException.class,
                    () -> jedis.hdel("java:bad:null".getBytes(), new byte[][] {null}));
            Check.fails(IllegalArgumentException.class, () -> jedis.mset("java:bad:null", null));
            Check.fails(IllegalArgumentException.class,
                    () -> jedis.pipelined().set("k", (String) null));
            /* keys, also among others, words, byte arrays, collections */
            Check.fails(NullPointerException.class, () -> jedis.get((String) null));
            Check.fails(NullPointerException.class, () -> jedis.get((byte[]) null));
            Check.fails(NullPointerException.class, () -> jedis.del("java:bad:null", null));
            Check.fails(NullPointerException.class, () -> jedis.mset(null, "java:bad:null"));
            Check.fails(NullPointerException.class,
                    () -> jedis.set("java:bad:null".getBytes(), (byte[]) null));
            Check.fails(NullPointerException.class,
                    () -> jedis.expire("java:bad:null", 1, (ExpiryOption) null));
            Check.fails(NullPointerException.class, () -> jedis.mget((String[]) null));
            Check.fails(NullPointerException.class,
                    () -> jedis.hset("java:bad:null", (Map<String, String>) null));
            Check.fails(NullPointerException.class,
                    () -> jedis.sendCommand((ProtocolCommand) null));
            Check.equal("PONG", jedis.ping());
        }
        Check.fails(NullPointerException.class, () -> new HostAndPort(null, 1));
    }

    @Case
    void emptyAndOddCommands() {
        try (Jedis jedis = new Jedis(SERVER)) {
            JedisException empty = Check.fails(JedisValidationException.class,
                    () -> jedis.sendCommand(() -> new byte[0]));
            Check.equal(Executed.NO, empty.executed());
            Check.contains(Check.fails(JedisDataException.class, () -> jedis.del(new String[0]))
                                   .getMessage(),
                    "wrong number of arguments");
            String[] many = new String[200_000];
            Arrays.fill(many, "java:bad:many");
            Check.equal(0L, jedis.exists(many));
            Check.equal("PONG", jedis.ping());
        }
    }

    @Case
    void statefulCommandsNeedTheirOwnConnection() {
        try (JedisPooled client = new JedisPooled(SERVER)) {
            for (String word : new String[] {"SELECT", "WATCH"}) {
                JedisException failure = Check.fails(JedisException.class,
                        () -> client.sendCommand(() -> word.getBytes(), "1"));
                Check.equal(Executed.NO, failure.executed());
                Check.contains(failure.getMessage(), "lease");
            }
            Check.equal("PONG", client.ping());
        }
    }

    @Case
    void optionsThatExcludeEachOther() {
        try (Jedis jedis = new Jedis(SERVER)) {
            jedis.set("java:bad:options", "v");
            SetParams lastCounts = new SetParams().nx().xx().ex(5).keepTtl().px(90_000);
            Check.equal("OK", jedis.set("java:bad:options", "w", lastCounts));
            Check.that(jedis.ttl("java:bad:options") > 60, "px was called last");
            Check.contains(Check.fails(JedisDataException.class, () -> jedis.zadd("java:bad:z", 1,
                    "m", ZAddParams.zAddParams().nx().gt())).getMessage(), "not compatible");
            Check.fails(IllegalArgumentException.class,
                    () -> new ClientKillParams().user(null));
            jedis.del("java:bad:options");
        }
    }

    @Case
    void valuesAtTheEdge() {
        try (Jedis jedis = new Jedis(SERVER)) {
            jedis.set("", "empty key");
            Check.equal("empty key", jedis.get(""));
            jedis.set("java:bad:edge", "" + Long.MAX_VALUE);
            Check.equal(Long.MAX_VALUE, jedis.incrBy("java:bad:edge", 0));
            Check.contains(Check.fails(JedisDataException.class, () -> jedis.incr("java:bad:edge"))
                                   .getMessage(), "overflow");
            Check.contains(Check.fails(JedisDataException.class,
                    () -> jedis.lpush("java:bad:edge", "x")).getMessage(), "WRONGTYPE");
            jedis.set("java:bad:edge".getBytes(), new byte[] {'a', (byte) 0xff});
            Check.equal("a\ufffd", jedis.get("java:bad:edge"));
            Check.equal(new byte[] {'a', (byte) 0xff}, jedis.get("java:bad:edge".getBytes()));
            Check.fails(JedisDataException.class,
                    () -> jedis.expire("java:bad:edge", Long.MIN_VALUE));
            Check.fails(IllegalArgumentException.class, () -> new StreamEntryID("no id"));
            Check.fails(NullPointerException.class,
                    () -> jedis.xtrim("java:bad:edge", (XTrimParams) null));
            Check.equal(2L, jedis.del("", "java:bad:edge"));
        }
    }
}
