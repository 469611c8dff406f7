package bench;

import glide.api.BaseClient;
import glide.api.GlideClient;
import glide.api.GlideClusterClient;
import glide.api.models.BaseBatch;
import glide.api.models.Batch;
import glide.api.models.ClusterBatch;
import glide.api.models.GlideString;
import glide.api.models.configuration.AdvancedGlideClientConfiguration;
import glide.api.models.configuration.GlideClientConfiguration;
import glide.api.models.configuration.GlideClusterClientConfiguration;
import glide.api.models.configuration.NodeAddress;
import glide.api.models.configuration.StandaloneSubscriptionConfiguration;
import glide.api.models.configuration.StandaloneSubscriptionConfiguration.PubSubChannelMode;
import glide.api.models.configuration.TlsAdvancedConfiguration;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** valkey-glide: one client that all threads share; batches that are not atomic as pipelines. */
public final class GlidePeer implements Client {
    /** Above what async jobs have in flight; it refuses what is more. */
    private static final int IN_FLIGHT_MAX = 4000;

    /** The usual 250 ms are too few while the JVM warms up; failovers keep them. */
    private static final int PATIENCE_MILLIS = 5000;

    private final Job job;
    private final BaseClient client;
    /** Kept, because a client that nothing refers to is closed. */
    private GlidePeer subscriber;

    private GlidePeer(Job job) throws Exception {
        this(job, null);
    }

    /** Each: what is done with the messages of a client that subscribes, else null. */
    private GlidePeer(Job job, Consumer<String> each) throws Exception {
        this.job = job;
        NodeAddress address = NodeAddress.builder().host(job.host()).port(job.port()).build();
        client = job.yes("cluster")
                ? GlideClusterClient.createClient(cluster(address)).get()
                : GlideClient.createClient(single(address, each)).get();
    }

    private GlideClusterClientConfiguration cluster(NodeAddress address) {
        var settings = GlideClusterClientConfiguration.builder().address(address)
                .inflightRequestsLimit(IN_FLIGHT_MAX);
        if (!job.mode.equals("failover")) settings.requestTimeout(PATIENCE_MILLIS);
        return settings.build();
    }

    public static void main(String[] args) throws Exception {
        Job job = new Job(args);
        job.run(GlidePeer::new, "valkey-glide", Job.versionOf(BaseClient.class));
    }

    private GlideClientConfiguration single(NodeAddress address, Consumer<String> each)
            throws Exception {
        var settings = GlideClientConfiguration.builder().address(address)
                .inflightRequestsLimit(IN_FLIGHT_MAX).requestTimeout(PATIENCE_MILLIS);
        if (job.trust != null) {
            byte[] roots = Files.readAllBytes(Path.of(job.word("ca")));
            settings.useTLS(true).advancedConfiguration(AdvancedGlideClientConfiguration.builder()
                    .tlsAdvancedConfiguration(
                            TlsAdvancedConfiguration.builder().rootCertificates(roots).build())
                    .build());
        }
        // What is subscribed to is part of a client's options.
        if (each != null)
            settings.subscriptionConfiguration(StandaloneSubscriptionConfiguration.builder()
                    .subscription(PubSubChannelMode.EXACT, GlideString.of("bench"))
                    .callback((message, context) -> each.accept(message.getMessage().toString()))
                    .build());
        return settings.build();
    }

    @Override
    public String get(String key) throws Exception {
        return client.get(key).get();
    }

    @Override
    public String set(String key, String value) throws Exception {
        return client.set(key, value).get();
    }

    @Override
    public List<String> mget(String[] keys) throws Exception {
        return Arrays.asList(client.mget(keys).get());
    }

    @Override
    public Map<String, String> hash(String key) throws Exception {
        return client.hgetall(key).get();
    }

    @Override
    public List<String> pipeline(String[] keys, String[] values) throws Exception {
        Object[] replies;
        if (client instanceof GlideClusterClient cluster) {
            ClusterBatch batch = new ClusterBatch(false);
            fill(batch, keys, values);
            replies = cluster.exec(batch, true).get();
        } else {
            Batch batch = new Batch(false);
            fill(batch, keys, values);
            replies = ((GlideClient) client).exec(batch, true).get();
        }
        return Arrays.stream(replies).map(reply -> (String) reply).toList();
    }

    private static void fill(BaseBatch<?> batch, String[] keys, String[] values) {
        for (int at = 0; at < keys.length; at++) {
            if (values == null) batch.get(keys[at]);
            else batch.set(keys[at], values[at]);
        }
    }

    @Override
    public CompletionStage<String> getLater(String key) {
        return client.get(key);
    }

    @Override
    public CompletionStage<String> setLater(String key, String value) {
        return client.set(key, value);
    }

    @Override
    public String ping() throws Exception {
        return ((GlideClient) client).ping().get();
    }

    @Override
    public void subscribe(String channel, Consumer<String> each) throws Exception {
        subscriber = new GlidePeer(job, each);
        String[] subscribers = {"PUBSUB", "NUMSUB", channel};
        for (int turn = 0; turn < 1000; turn++) {
            Object counts = ((GlideClient) client).customCommand(subscribers).get();
            if (counts instanceof Map<?, ?> map && map.containsValue(1L)) return;
            Thread.sleep(5);
        }
        throw new IllegalStateException("nobody subscribed to " + channel);
    }

    @Override
    public void publish(String channel, List<String> messages) throws Exception {
        Batch batch = new Batch(false);
        // The message comes first here, then the channel.
        for (String message : messages) batch.publish(message, channel);
        ((GlideClient) client).exec(batch, true).get();
    }

    @Override
    public void close() throws Exception {
        client.close();
    }
}
