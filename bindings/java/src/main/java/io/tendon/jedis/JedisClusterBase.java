package io.tendon.jedis;

import io.tendon.jedis.exceptions.JedisClusterOperationException;
import io.tendon.jedis.exceptions.JedisDataException;
import io.tendon.jedis.exceptions.JedisException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;

/** What a JedisCluster does. */
public abstract class JedisClusterBase extends UnifiedJedis {
    public static final int DEFAULT_MAX_ATTEMPTS = 5;

    JedisClusterBase(Setup setup) {
        super(setup.nodes == null ? setup.nodes(Set.of()) : setup);
        try {
            core.connect();
        } catch (JedisException failure) {
            core.close();
            throw failure instanceof JedisDataException ? failure : uninitialized(failure);
        }
    }

    private static JedisException uninitialized(JedisException failure) {
        return new JedisClusterOperationException(
                "Could not initialize cluster slots cache. " + failure.getMessage(), failure)
                .with(failure.failure());
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
        AbstractPipeline pipeline = pipelined();
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
