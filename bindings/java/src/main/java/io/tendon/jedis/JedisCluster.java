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

/**
 * A UnifiedJedis of a cluster: from several seeds, or one configuration endpoint. Connects when it
 * is made.
 */
public class JedisCluster extends UnifiedJedis {
    public static final int DEFAULT_MAX_ATTEMPTS = 5;

    public JedisCluster(HostAndPort node) {
        this(Set.of(node));
    }

    public JedisCluster(HostAndPort node, int timeout) {
        this(Set.of(node), timeout);
    }

    public JedisCluster(Set<HostAndPort> nodes) {
        this(nodes, Protocol.DEFAULT_TIMEOUT);
    }

    public JedisCluster(Set<HostAndPort> nodes, int timeout) {
        this(nodes, DefaultJedisClientConfig.builder().timeoutMillis(timeout).build());
    }

    public JedisCluster(Set<HostAndPort> nodes, int timeout, int maxAttempts) {
        this(nodes, DefaultJedisClientConfig.builder().timeoutMillis(timeout).build(), maxAttempts);
    }

    public JedisCluster(Set<HostAndPort> nodes, String user, String password) {
        this(nodes, DefaultJedisClientConfig.builder().user(user).password(password).build());
    }

    public JedisCluster(HostAndPort node, GenericObjectPoolConfig<Connection> pool) {
        this(Set.of(node), pool);
    }

    public JedisCluster(Set<HostAndPort> nodes, GenericObjectPoolConfig<Connection> pool) {
        this(nodes, DefaultJedisClientConfig.builder().build(), DEFAULT_MAX_ATTEMPTS, pool);
    }

    public JedisCluster(Set<HostAndPort> nodes, int connectionTimeout, int soTimeout,
            int maxAttempts, GenericObjectPoolConfig<Connection> pool) {
        this(nodes, connectionTimeout, soTimeout, maxAttempts, null, pool);
    }

    public JedisCluster(Set<HostAndPort> nodes, int connectionTimeout, int soTimeout,
            int maxAttempts, String password, GenericObjectPoolConfig<Connection> pool) {
        this(nodes, connectionTimeout, soTimeout, maxAttempts, null, password, null, pool, false);
    }

    public JedisCluster(Set<HostAndPort> nodes, int connectionTimeout, int soTimeout,
            int maxAttempts, String user, String password, String clientName,
            GenericObjectPoolConfig<Connection> pool, boolean ssl) {
        this(nodes,
                DefaultJedisClientConfig.builder()
                        .connectionTimeoutMillis(connectionTimeout)
                        .socketTimeoutMillis(soTimeout)
                        .user(user)
                        .password(password)
                        .clientName(clientName)
                        .ssl(ssl)
                        .build(),
                maxAttempts, pool);
    }

    public JedisCluster(Set<HostAndPort> nodes, JedisClientConfig config) {
        this(nodes, config, DEFAULT_MAX_ATTEMPTS);
    }

    public JedisCluster(Set<HostAndPort> nodes, JedisClientConfig config, int maxAttempts) {
        this(nodes, config, maxAttempts, new GenericObjectPoolConfig<>());
    }

    public JedisCluster(Set<HostAndPort> nodes, JedisClientConfig config, int maxAttempts,
            GenericObjectPoolConfig<Connection> pool) {
        this(nodes, config, maxAttempts,
                defaultDeadline(config, maxAttempts), pool);
    }

    /**
     * {@code maxTotalRetriesDuration} is the deadline of a command, all attempts and redirects
     * included.
     */
    public JedisCluster(Set<HostAndPort> nodes, JedisClientConfig config, int maxAttempts,
            Duration maxTotalRetriesDuration, GenericObjectPoolConfig<Connection> pool) {
        super(options(nodes, config, maxAttempts, maxTotalRetriesDuration, pool), null);
        try {
            core.connect();
        } catch (JedisException failure) {
            core.close();
            throw failure instanceof JedisDataException ? failure : uninitialized(failure);
        }
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
