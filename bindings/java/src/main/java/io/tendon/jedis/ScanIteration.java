package io.tendon.jedis;

import io.tendon.jedis.params.ScanParams;
import io.tendon.jedis.resps.ScanResult;
import java.util.Collection;
import java.util.Iterator;
import java.util.NoSuchElementException;

/**
 * All keys that fit a pattern, batch by batch; in a cluster of one primary after the other. A key
 * may come more than once, as with SCAN.
 */
public class ScanIteration {
    private final UnifiedJedis client;
    private final ScanParams params;
    private final String type;
    private final Iterator<Integer> slots;
    private int slot;
    private String cursor = ScanParams.SCAN_POINTER_START;
    private boolean completed;

    ScanIteration(UnifiedJedis client, int batchCount, String match, String type) {
        this.client = client;
        this.params = new ScanParams().count(batchCount);
        if (match != null) {
            params.match(match);
        }
        this.type = type;
        this.slots = client.slotsOfPrimaries().iterator();
        this.slot = slots.next();
    }

    /** Whether there is nothing more. */
    public final boolean isIterationCompleted() {
        return completed;
    }

    /** What the next SCAN of the server found, which may be nothing. */
    public final ScanResult<String> nextBatch() {
        if (completed) {
            throw new NoSuchElementException("The iteration is completed");
        }
        CommandArguments arguments =
                new CommandArguments(Protocol.Command.SCAN).add(cursor).addParams(params);
        if (type != null) {
            arguments.add("TYPE").add(type);
        }
        ScanResult<String> batch =
                client.executeCommand(arguments.routeToSlot(slot), Results.SCAN_RESULT_OF_STRING);
        cursor = batch.getCursor();
        if (batch.isCompleteIteration()) {
            completed = !slots.hasNext();
            slot = completed ? slot : slots.next();
        }
        return batch;
    }

    public final Collection<String> nextBatchList() {
        return nextBatch().getResult();
    }

    /** Adds all that is left to {@code keys}. */
    public final Collection<String> collect(Collection<String> keys) {
        while (!completed) {
            keys.addAll(nextBatchList());
        }
        return keys;
    }
}
