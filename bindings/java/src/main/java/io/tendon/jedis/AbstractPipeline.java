package io.tendon.jedis;

import java.io.Closeable;
import java.util.ArrayList;
import java.util.List;

/**
 * Commands that are sent together. Not a transaction: each has its own outcome. One thread at a
 * time.
 */
public abstract class AbstractPipeline extends PipeliningBase implements Closeable {
    /** Sent in one piece at most, which bounds the memory for replies that wait to be read. */
    private static final int PIECE_COMMANDS_MAX = 10_000;
    private static final int PIECE_BYTES_MAX = 1 << 20;

    private List<Response<?>> queue = new ArrayList<>();

    AbstractPipeline(Core core, Lease lease, CommandKeyArgumentPreProcessor keys) {
        super(core, lease, keys);
    }

    @Override
    public <T> Response<T> executeCommand(CommandArguments arguments, Builder<T> builder) {
        Response<T> response = response(arguments, builder);
        queue.add(response);
        return response;
    }

    /** Sends what is queued and waits for all answers. Throws only when nothing could be sent. */
    public void sync() {
        List<Response<?>> all = queue;
        queue = new ArrayList<>();
        int from = 0;
        while (from < all.size()) {
            int end = endOfPiece(all, from);
            core.batch(lease, all.subList(from, end));
            from = end;
        }
    }

    private static int endOfPiece(List<Response<?>> all, int from) {
        long bytes = 0;
        int end = from;
        while (end < all.size() && end - from < PIECE_COMMANDS_MAX
                && (end == from || bytes < PIECE_BYTES_MAX)) {
            bytes += all.get(end++).arguments.bytes();
        }
        return end;
    }

    /**
     * As sync, and lists all results in order; a server's error is in the list as a
     * JedisDataException. A failure of the connection is thrown.
     */
    public List<Object> syncAndReturnAll() {
        List<Response<?>> all = queue;
        sync();
        List<Object> results = new ArrayList<>(all.size());
        all.forEach(response -> results.add(response.resultOrError()));
        return results;
    }

    /** As executeCommand. */
    public final <T> Response<T> appendCommand(CommandObject<T> command) {
        return executeCommand(command);
    }

    /** Whether something is queued. */
    public final boolean hasPipelinedResponse() {
        return !queue.isEmpty();
    }

    /** Number of commands queued. */
    public int size() {
        return queue.size();
    }

    /** Sends what is queued. */
    @Override
    public void close() {
        sync();
    }
}
