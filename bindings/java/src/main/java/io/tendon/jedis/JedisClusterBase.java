package io.tendon.jedis;

import io.tendon.jedis.exceptions.JedisClusterOperationException;
import io.tendon.jedis.exceptions.JedisDataException;
import io.tendon.jedis.exceptions.JedisException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;

/** What a JedisCluster does. */
public abstract class JedisClusterBase extends UnifiedJedis {
    public static final int DEFAULT_MAX_ATTEMPTS = 5;

    /**
     * {@code maxTotalRetriesDuration} is the deadline of a command, all attempts and redirects
     * included; null: what is left to maxAttempts by the socket's time-out.
     */
    JedisClusterBase(Set<HostAndPort> nodes, JedisClientConfig config, int maxAttempts,
            Duration maxTotalRetriesDuration, GenericObjectPoolConfig<Connection> pool) {
        super(options(nodes, config, maxAttempts,
                      maxTotalRetriesDuration != null ? maxTotalRetriesDuration
                                                      : defaultDeadline(config, maxAttempts),
                      pool),
                null);
        try {
            core.connect();
        } catch (JedisException failure) {
            core.close();
            throw failure instanceof JedisDataException ? failure : uninitialized(failure);
        }
    }

    /** With option cluster_refresh_interval_ms. */
    static JedisClientConfig refreshing(JedisClientConfig config, Duration period) {
        return period == null
                ? config
                : DefaultJedisClientConfig.builder().from(config)
                          .option("cluster_refresh_interval_ms", "" + period.toMillis()).build();
    }

    static Duration defaultDeadline(JedisClientConfig config, int maxAttempts) {
        return Duration.ofMillis((long) config.getSocketTimeoutMillis() * maxAttempts);
    }

    static CoreOptions options(Set<HostAndPort> nodes, JedisClientConfig config,
            int maxAttempts, Duration deadline, GenericObjectPoolConfig<Connection> pool) {
        CoreOptions options = CoreOptions.cluster(nodes, config).pool(pool, maxAttempts);
        options.put("max_redirects", maxAttempts);
        options.put("command_timeout_ms", deadline.toMillis());
        return options;
    }

    private static JedisException uninitialized(JedisException failure) {
        return new JedisClusterOperationException(
                "Could not initialize cluster slots cache. " + failure.getMessage(), failure)
                .with(failure.failure());
    }

    public static RedisClusterClient.Builder builder() {
        return RedisClusterClient.builder();
    }

    /** Commands sent together, to the nodes of their keys. */
    @Override
    public ClusterPipeline pipelined() {
        return new ClusterPipeline(core, keyProcessor());
    }

    /** As pipelined(): the core sends to all nodes at once, without threads of the program. */
    public ClusterPipeline pipelined(ExecutorService ignored) {
        return pipelined();
    }

    /**
     * Sends a command to every primary. The result is that of one of them; when one fails, its
     * failure is thrown after all have been asked.
     */
    public final <T> T broadcastCommand(CommandObject<T> command) {
        List<Response<T>> all = new ArrayList<>();
        Pipeline pipeline = pipelined();
        for (int slot : slotsOfPrimaries()) {
            CommandArguments copy = new CommandArguments(() -> command.getArguments().word(0));
            for (int i = 1; i < command.getArguments().size(); i++) {
                copy.add(command.getArguments().word(i));
            }
            all.add(pipeline.executeCommand(copy.routeToSlot(slot), command.getBuilder()));
        }
        pipeline.sync();
        T result = null;
        for (Response<T> one : all) {
            result = one.get();
        }
        return result;
    }

    @Override
    List<Integer> slotsOfPrimaries() {
        Map<Object, Integer> first = new LinkedHashMap<>();
        for (Object range : clusterSlots()) {
            List<?> parts = (List<?>) range;
            first.putIfAbsent(parts.get(2), ((Long) parts.get(0)).intValue());
        }
        return new ArrayList<>(first.values());
    }

    /** As in Jedis: not in a cluster. */
    @Override
    public Transaction transaction(boolean doMulti) {
        throw new UnsupportedOperationException(
                "Watched transactions are not supported in a cluster; use multi()"
                + " with the keys of one slot");
    }
}
