package io.tendon.jedis.tests;

import io.tendon.jedis.AsyncJedis;
import io.tendon.jedis.DefaultJedisClientConfig;
import io.tendon.jedis.DefaultRedisCredentials;
import io.tendon.jedis.DefaultRedisCredentialsProvider;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisClientConfig;
import io.tendon.jedis.JedisPool;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.JedisPubSub;
import io.tendon.jedis.RedisCredentials;
import io.tendon.jedis.RedisCredentialsProvider;
import io.tendon.jedis.Response;
import io.tendon.jedis.Transaction;
import io.tendon.jedis.exceptions.JedisAccessControlException;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** Providers of credentials, of a server whose password changes. */
final class LoginTests {
    /** Counts how often it is asked. */
    private static final class Provider implements RedisCredentialsProvider {
        private final AtomicInteger asked = new AtomicInteger();
        private volatile String password;

        Provider(String password) {
            this.password = password;
        }

        @Override
        public RedisCredentials get() {
            asked.incrementAndGet();
            return new DefaultRedisCredentials(null, password);
        }

        JedisClientConfig config() {
            return Servers.patient().credentialsProvider(this).build();
        }
    }

    /** From now on the server takes only this, and all connections are lost. */
    private static void change(OwnServer server, Provider known, String password) {
        try (Jedis admin = new Jedis(server.address(), known.config())) {
            admin.configSet("requirepass", password);
            admin.sendCommand(() -> "CLIENT".getBytes(), "KILL", "TYPE", "normal", "SKIPME", "yes");
            admin.sendCommand(() -> "CLIENT".getBytes(), "KILL", "TYPE", "pubsub");
        }
    }

    @Case
    void askedAgainWhenRefused() throws Exception {
        try (OwnServer server = new OwnServer()) {
            Provider admin = new Provider(null);
            change(server, admin, "first");
            Provider provider = new Provider("first");
            try (JedisPooled pooled = new JedisPooled(server.address(), provider.config());
                    JedisPool pool = new JedisPool(server.address(), provider.config())) {
                Check.equal("OK", pooled.set("k", "v"));
                Jedis held = pool.getResource();
                Check.equal("v", held.get("k"));
                Check.equal(2, provider.asked.get());
                admin.password = "first";
                change(server, admin, "second");
                provider.password = "second";
                held.close();
                Check.eventually("commands reach the server again", () -> tries(pooled));
                try (Jedis jedis = pool.getResource()) {
                    Check.equal("v", jedis.get("k"));
                }
                Check.equal(4, provider.asked.get());
                Check.equal(0, pool.getNumActive());
            }
        }
    }

    /** A command whose connection was just killed may fail for that; none for its credentials. */
    private static boolean tries(JedisPooled client) {
        try {
            return "v".equals(client.get("k"));
        } catch (JedisAccessControlException refused) {
            throw refused;
        } catch (RuntimeException lost) {
            return false;
        }
    }

    @Case
    void groupsAreSentAgain() throws Exception {
        try (OwnServer server = new OwnServer()) {
            Provider admin = new Provider(null);
            change(server, admin, "first");
            Provider provider = new Provider("none yet");
            try (JedisPooled client = new JedisPooled(server.address(), provider.config())) {
                provider.password = "first";
                var pipeline = client.pipelined();
                Response<String> set = pipeline.set("k", "v");
                Response<String> get = pipeline.get("k");
                pipeline.sync();
                Check.equal("OK", set.get());
                Check.equal("v", get.get());
                Check.equal(2, provider.asked.get());
            }
            provider.password = "none yet";
            try (JedisPooled client = new JedisPooled(server.address(), provider.config())) {
                provider.password = "first";
                Transaction transaction = client.multi();
                transaction.set("k", "w");
                transaction.get("k");
                Check.equal(List.of("OK", "w"), transaction.exec());
            }
        }
    }

    @Case
    void theSameAgainIsNoHelp() {
        Provider wrong = new Provider("wrong");
        try (JedisPooled client = new JedisPooled(Servers.address("acl"), wrong.config())) {
            Check.fails(JedisAccessControlException.class, client::ping);
            Check.equal(2, wrong.asked.get());
        }
        Provider changing = new Provider("wrong");
        try (JedisPooled client = new JedisPooled(Servers.address("acl"), changing.config())) {
            changing.password = "wrong too";
            Check.fails(JedisAccessControlException.class, client::ping);
            Check.equal(2, changing.asked.get());
        }
    }

    @Case
    void aJedisAsksAtEveryConnection() {
        Provider provider = new Provider(null);
        try (Jedis jedis = new Jedis(Servers.address("standalone"), provider.config())) {
            Check.equal("PONG", jedis.ping());
            Check.equal(1, provider.asked.get());
            jedis.disconnect();
            Check.equal("PONG", jedis.ping());
            Check.equal(2, provider.asked.get());
        }
    }

    @Case
    void leasesOutliveTheirCredentials() throws Exception {
        try (OwnServer server = new OwnServer()) {
            Provider admin = new Provider(null);
            change(server, admin, "first");
            Provider provider = new Provider("first");
            try (JedisPool pool = new JedisPool(server.address(), provider.config())) {
                Jedis held = pool.getResource();
                held.set("k", "held");
                admin.password = "first";
                try (Jedis jedis = new Jedis(server.address(), admin.config())) {
                    jedis.configSet("requirepass", "second"); /* connections stay */
                }
                provider.password = "second";
                try (Jedis other = pool.getResource()) {
                    Check.equal("held", other.get("k"));
                    Check.equal("held", held.get("k"));
                }
                held.close();
                Check.equal(2, provider.asked.get());
            }
        }
    }

    @Case
    void futuresAndMessages() throws Exception {
        try (OwnServer server = new OwnServer()) {
            Provider admin = new Provider(null);
            change(server, admin, "first");
            Provider provider = new Provider("old");
            try (AsyncJedis client = new AsyncJedis(server.address(), provider.config())) {
                provider.password = "first";
                Check.fails(JedisAccessControlException.class,
                        () -> AsyncFace.await(client.ping()));
                Check.eventually("the next one has other credentials", () -> {
                    try {
                        return "PONG".equals(AsyncFace.await(client.ping()));
                    } catch (JedisAccessControlException notYet) {
                        return false;
                    }
                });
            }
            provider.password = "old";
            try (JedisPooled client = new JedisPooled(server.address(), provider.config())) {
                provider.password = "first";
                JedisPubSub once = new JedisPubSub() {
                    @Override
                    public void onSubscribe(String channel, int count) {
                        unsubscribe();
                    }
                };
                client.subscribe(once, "java:login");
                Check.equal(false, once.isSubscribed());
            }
        }
    }

    @Case
    void aSubscriptionEndsWithItsCredentials() throws Exception {
        try (OwnServer server = new OwnServer()) {
            Provider admin = new Provider(null);
            change(server, admin, "first");
            admin.password = "first";
            Provider provider = new Provider("first");
            try (JedisPooled client = new JedisPooled(server.address(), provider.config())) {
                JedisPubSub rotates = new JedisPubSub() {
                    @Override
                    public void onSubscribe(String channel, int count) {
                        provider.password = "second";
                        change(server, admin, "second");
                    }
                };
                Check.fails(JedisAccessControlException.class,
                        () -> client.subscribe(rotates, "java:login"));
                Check.eventually("commands reach the server", () -> "PONG".equals(client.ping()));
            }
        }
    }

    @Case
    void theProviderOfJedis() {
        RedisCredentials first = new DefaultRedisCredentials("app", "x");
        DefaultRedisCredentialsProvider provider = new DefaultRedisCredentialsProvider(first);
        Check.equal(first, provider.get());
        RedisCredentials second = new DefaultRedisCredentials(
                Servers.text("acl", "username"), Servers.text("acl", "password"));
        JedisClientConfig config = DefaultJedisClientConfig.builder().timeoutMillis(20_000)
                .credentialsProvider(provider).build();
        try (JedisPooled client = new JedisPooled(Servers.address("acl"), config)) {
            provider.setCredentials(second);
            Check.equal("app", client.aclWhoAmI());
        }
    }
}
