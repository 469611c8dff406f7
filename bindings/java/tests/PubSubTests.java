package io.tendon.jedis.tests;

import io.tendon.jedis.BinaryJedisPubSub;
import io.tendon.jedis.HostAndPort;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisCluster;
import io.tendon.jedis.JedisMonitor;
import io.tendon.jedis.JedisPool;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.JedisPubSub;
import io.tendon.jedis.JedisShardedPubSub;
import io.tendon.jedis.args.ClientType;
import io.tendon.jedis.exceptions.JedisAccessControlException;
import io.tendon.jedis.exceptions.JedisConnectionException;
import io.tendon.jedis.exceptions.JedisException;
import io.tendon.jedis.params.ClientKillParams;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** Messages of channels, patterns and sharded channels, and MONITOR. */
final class PubSubTests {
    private static final String P = "java:pubsub:";
    private static final HostAndPort SERVER = Servers.address("standalone");
    private static final int SECONDS = 30;

    /** Writes down what happens. */
    private static final class Diary extends JedisPubSub {
        final ConcurrentLinkedQueue<String> lines = new ConcurrentLinkedQueue<>();
        volatile int gaps;

        @Override
        public void onMessage(String channel, String message) {
            lines.add(channel + "=" + message);
        }

        @Override
        public void onPMessage(String pattern, String channel, String message) {
            lines.add(pattern + ":" + channel + "=" + message);
        }

        @Override
        public void onSubscribe(String channel, int count) {
            lines.add("+" + channel + count);
        }

        @Override
        public void onUnsubscribe(String channel, int count) {
            lines.add("-" + channel + count);
        }

        @Override
        public void onPSubscribe(String pattern, int count) {
            lines.add("++" + pattern + count);
        }

        @Override
        public void onPUnsubscribe(String pattern, int count) {
            lines.add("--" + pattern + count);
        }

        @Override
        public void onPong(String message) {
            lines.add("pong " + message);
        }

        @Override
        public void onGap(long milliseconds) {
            gaps++;
        }

        void waitFor(String line) throws Exception {
            Check.eventually(line + " in " + lines, () -> lines.contains(line));
        }
    }

    private static CompletableFuture<Void> start(Runnable waiting) {
        return CompletableFuture.runAsync(waiting, task -> new Thread(task).start());
    }

    private static void ends(CompletableFuture<Void> waiting) throws Exception {
        waiting.get(SECONDS, TimeUnit.SECONDS);
    }

    @Case
    void channelsOfAJedis() throws Exception {
        Diary diary = new Diary();
        try (Jedis jedis = new Jedis(SERVER); Jedis other = new Jedis(SERVER)) {
            var waiting = start(() -> jedis.subscribe(diary, P + "a", P + "b"));
            diary.waitFor("+" + P + "b2");
            Check.equal(true, diary.isSubscribed());
            Check.equal(2, diary.getSubscribedChannels());
            Check.equal(1L, other.publish(P + "a", "one"));
            diary.waitFor(P + "a=one");
            diary.subscribe(P + "c");
            diary.psubscribe(P + "p*");
            diary.waitFor("++" + P + "p*4");
            other.publish(P + "c", "two");
            other.publish(P + "part", "three");
            diary.waitFor(P + "p*:" + P + "part=three");
            diary.ping();
            diary.ping("you");
            diary.waitFor("pong you");
            diary.unsubscribe(P + "a");
            diary.punsubscribe();
            diary.unsubscribe();
            ends(waiting);
            Check.that(diary.lines.contains(P + "c=two"), "two came");
            Check.that(diary.lines.contains("--" + P + "p*2"), "" + diary.lines);
            Check.equal(false, diary.isSubscribed());
            Check.equal("PONG", jedis.ping());
            Check.fails(JedisException.class, () -> diary.subscribe("x"));
        }
    }

    @Case
    void unsubscribesInACallback() throws Exception {
        List<byte[]> got = new java.util.ArrayList<>();
        BinaryJedisPubSub listener = new BinaryJedisPubSub() {
            @Override
            public void onMessage(byte[] channel, byte[] message) {
                got.add(message);
                unsubscribe();
            }
        };
        byte[] channel = {0, (byte) 0xff, 7};
        for (boolean resp3 : new boolean[] {false, true}) {
            got.clear();
            var config = Servers.config();
            try (JedisPooled client = new JedisPooled(
                         SERVER, (resp3 ? config.resp3() : config.resp2()).build())) {
                var waiting = start(() -> client.subscribe(listener, channel));
                Check.eventually("a subscriber", () -> client.publish(channel, channel) == 1);
                ends(waiting);
                Check.equal(channel, got.get(0));
            }
        }
    }

    @Case
    void patternsOfAPoolOfOne() throws Exception {
        Diary diary = new Diary();
        try (JedisPool pool = Servers.pool(1); Jedis other = new Jedis(SERVER)) {
            try (Jedis jedis = pool.getResource()) {
                var waiting = start(() -> jedis.psubscribe(diary, P + "*"));
                diary.waitFor("++" + P + "*1");
                other.publish(P + "x", "y");
                diary.waitFor(P + "*:" + P + "x=y");
                diary.punsubscribe(P + "*");
                ends(waiting);
                Check.equal("PONG", jedis.ping());
            }
            Check.equal("PONG", pool.withResourceGet(Jedis::ping));
        }
    }

    @Case
    void shardedChannelsOfACluster() throws Exception {
        ConcurrentLinkedQueue<String> got = new ConcurrentLinkedQueue<>();
        JedisShardedPubSub listener = new JedisShardedPubSub() {
            @Override
            public void onSMessage(String channel, String message) {
                got.add(channel + "=" + message);
            }
        };
        try (JedisCluster cluster = new JedisCluster(Servers.nodes("cluster"))) {
            String[] channels = {P + "{1}", P + "{2}", P + "{3}", P + "{4}"};
            var waiting = start(() -> cluster.ssubscribe(listener, channels));
            for (String channel : channels) {
                Check.eventually("a subscriber of " + channel,
                        () -> cluster.spublish(channel, "m") == 1);
                Check.eventually("a message of " + channel, () -> got.contains(channel + "=m"));
            }
            listener.sunsubscribe();
            ends(waiting);
        }
    }

    @Case
    void lostConnectionIsReplaced() throws Exception {
        Diary diary = new Diary();
        try (JedisPooled client = new JedisPooled(SERVER)) {
            var waiting = start(() -> client.subscribe(diary, P + "lost"));
            diary.waitFor("+" + P + "lost1");
            client.clientKill(ClientKillParams.clientKillParams().type(ClientType.PUBSUB));
            Check.eventually("the gap is told", () -> diary.gaps == 1);
            Check.equal(1L, client.publish(P + "lost", "again"));
            diary.waitFor(P + "lost=again");
            Check.equal(1L, diary.lines.stream().filter(one -> one.startsWith("+")).count());
            diary.unsubscribe();
            ends(waiting);
        }
    }

    private static Throwable failure(CompletableFuture<Void> waiting) throws Exception {
        try {
            ends(waiting);
            throw new AssertionError("ended without a failure");
        } catch (ExecutionException failed) {
            return failed.getCause();
        }
    }

    @Case
    void failures() throws Exception {
        var config = Servers.config().timeoutMillis(2000).build();
        try (JedisPooled client = new JedisPooled(new HostAndPort("127.0.0.1", 1), config)) {
            Check.failsWithin(java.time.Duration.ofSeconds(20), JedisConnectionException.class,
                    () -> client.subscribe(new Diary(), "x"));
        }
        Diary diary = new Diary();
        JedisPooled client = new JedisPooled(SERVER);
        var waiting = start(() -> client.subscribe(diary, P + "closed"));
        diary.waitFor("+" + P + "closed1");
        client.close();
        Check.that(failure(waiting) instanceof JedisException, "close ends the waiting");
        Check.fails(IllegalArgumentException.class, () -> {
            try (Jedis jedis = new Jedis(SERVER)) {
                jedis.subscribe(new Diary(), (String) null);
            }
        });
    }

    @Case
    void refusedChannel() {
        try (Jedis admin = new Jedis(SERVER)) {
            admin.aclSetUser("java-nochannels", "on", ">secret", "+@all", "resetchannels");
            var config = Servers.config().user("java-nochannels").password("secret").build();
            try (JedisPooled client = new JedisPooled(SERVER, config)) {
                Check.fails(JedisAccessControlException.class,
                        () -> client.subscribe(new Diary(), P + "refused"));
            } finally {
                admin.aclDelUser("java-nochannels");
            }
        }
    }

    @Case
    void monitorSeesCommands() throws Exception {
        ConcurrentLinkedQueue<String> lines = new ConcurrentLinkedQueue<>();
        JedisMonitor monitor = new JedisMonitor() {
            @Override
            public void onCommand(String command) {
                lines.add(command);
            }
        };
        try (Jedis jedis = new Jedis(SERVER); Jedis other = new Jedis(SERVER)) {
            var waiting = start(() -> jedis.monitor(monitor));
            Check.eventually("a command is seen", () -> {
                other.echo(P + "seen");
                return lines.stream().anyMatch(line -> line.contains(P + "seen"));
            });
            monitor.stop();
            ends(waiting);
            Check.equal("PONG", jedis.ping());
        }
    }

    @Case
    void textsOfManySizes() throws Exception {
        Diary diary = new Diary();
        try (JedisPooled client = new JedisPooled(SERVER)) {
            var waiting = start(() -> client.subscribe(diary, P + "sizes"));
            diary.waitFor("+" + P + "sizes1");
            for (int size : new int[] {0, 1, 60_000, 70_000, 3_000_000}) {
                String text = "é".repeat(size / 2);
                Check.equal(size / 2 * 2, text.getBytes(StandardCharsets.UTF_8).length);
                client.publish(P + "sizes", text);
                diary.waitFor(P + "sizes=" + text);
                diary.lines.clear();
            }
            diary.unsubscribe();
            ends(waiting);
        }
    }
}
