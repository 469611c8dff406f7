package io.tendon.jedis.tests;

import io.tendon.jedis.HostAndPort;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisPool;
import io.tendon.jedis.JedisPoolConfig;
import io.tendon.jedis.JedisPooled;
import java.net.URI;

/** The ways to say where and how to connect. */
final class OptionTests {
    private static final int PORT = Servers.port("standalone");

    private static String clientField(Jedis jedis, String field) {
        for (String part : jedis.clientInfo().trim().split(" ")) {
            if (part.startsWith(field + "=")) {
                return part.substring(field.length() + 1);
            }
        }
        return null;
    }

    @Case
    void databaseAndNameOfThePool() {
        JedisPoolConfig limits = new JedisPoolConfig();
        try (JedisPool pool = new JedisPool(limits, "localhost", PORT, 2000, null, 3, "java-name");
                Jedis jedis = pool.getResource()) {
            Check.equal("3", clientField(jedis, "db"));
            Check.equal("java-name", jedis.clientGetname());
        }
    }

    @Case
    void userAndPassword() {
        String user = Servers.text("acl", "username");
        String password = Servers.text("acl", "password");
        int port = Servers.port("acl");
        JedisPoolConfig limits = new JedisPoolConfig();
        try (JedisPool pool = new JedisPool(limits, "localhost", port, 2000, user, password);
                Jedis jedis = pool.getResource()) {
            Check.equal("app", clientField(jedis, "user"));
        }
        String defaultPassword = Servers.text("acl", "default_password");
        try (JedisPool pool = new JedisPool(limits, "localhost", port, 2000, defaultPassword);
                Jedis jedis = pool.getResource()) {
            Check.equal("default", clientField(jedis, "user"));
            Check.equal("OK", jedis.auth(user, password));
            Check.equal("app", clientField(jedis, "user"));
        }
        try (JedisPooled client = new JedisPooled("localhost", port, user, password)) {
            Check.equal("PONG", client.ping());
        }
    }

    @Case
    void urls() {
        String acl = "redis://" + Servers.text("acl", "username") + ":"
                + Servers.text("acl", "password") + "@localhost:" + Servers.port("acl") + "/2";
        try (Jedis jedis = new Jedis(acl)) {
            Check.equal("2", clientField(jedis, "db"));
            Check.equal("app", clientField(jedis, "user"));
        }
        try (JedisPool pool = new JedisPool(
                     URI.create("redis://localhost:" + PORT + "/1?client_name=url"));
                Jedis jedis = pool.getResource()) {
            Check.equal("1", clientField(jedis, "db"));
            Check.equal("url", jedis.clientGetname());
        }
        try (JedisPooled client = new JedisPooled("redis://localhost:" + PORT + "?protocol=3")) {
            Check.contains(client.clientInfo(), "resp=3");
        }
        try (Jedis jedis = new Jedis("unix://" + Servers.text("unix_socket"))) {
            Check.equal("PONG", jedis.ping());
        }
    }

    @Case
    void protocolIsTwoUnlessTold() {
        try (Jedis jedis = new Jedis(Servers.address("standalone"))) {
            Check.contains(jedis.clientInfo(), "resp=2");
        }
        try (Jedis jedis = new Jedis(
                     Servers.address("standalone"), Servers.config().resp3().build())) {
            Check.contains(jedis.clientInfo(), "resp=3");
        }
    }

    @Case
    void tendonOptions() {
        var config = Servers.config().option("client_name", "by-option").build();
        try (Jedis jedis = new Jedis(Servers.address("standalone"), config)) {
            Check.equal("by-option", jedis.clientGetname());
        }
    }

    @Case
    void poolDefaultsOfJedis() {
        JedisPoolConfig limits = new JedisPoolConfig();
        Check.equal(8, limits.getMaxTotal());
        Check.equal(8, limits.getMaxIdle());
        Check.equal(0, limits.getMinIdle());
        Check.equal(-1L, limits.getMaxWaitMillis());
        Check.equal(true, limits.getBlockWhenExhausted());
        Check.equal(true, limits.getTestWhileIdle());
        Check.equal(30_000L, limits.getTimeBetweenEvictionRunsMillis());
        Check.equal(60_000L, limits.getMinEvictableIdleTimeMillis());
    }

    @Case
    void singleJedisConnectsLazilyAndAgain() {
        try (Jedis jedis = new Jedis("localhost", PORT)) {
            Check.equal(false, jedis.isConnected());
            long first = jedis.clientId();
            Check.equal(true, jedis.isConnected());
            jedis.disconnect();
            Check.equal(false, jedis.isConnected());
            Check.that(jedis.clientId() != first, "a new connection");
        }
    }

    @Case
    void hostAndPort() {
        Check.equal(new HostAndPort("::1", 6379), HostAndPort.from("[::1]:6379"));
        Check.equal("a:1", HostAndPort.from("a:1").toString());
        Check.fails(IllegalArgumentException.class, () -> HostAndPort.from("nonsense"));
    }
}
