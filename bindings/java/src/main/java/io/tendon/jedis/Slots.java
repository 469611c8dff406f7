package io.tendon.jedis;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The calls under way, by the number that goes to the core and comes back with the outcome. */
final class Slots {
    private AsyncCall<?>[] calls = new AsyncCall<?>[256];
    private int[] free = new int[256];
    private int freeCount;
    private int used; /* slots that were ever in use */

    /** Returns the number. */
    int put(AsyncCall<?> call) {
        int slot = freeCount > 0 ? free[--freeCount] : fresh();
        calls[slot] = call;
        return slot;
    }

    private int fresh() {
        if (used == calls.length) {
            calls = Arrays.copyOf(calls, 2 * used);
            free = Arrays.copyOf(free, 2 * used);
        }
        return used++;
    }

    AsyncCall<?> take(int slot) {
        AsyncCall<?> call = calls[slot];
        calls[slot] = null;
        free[freeCount++] = slot;
        return call;
    }

    boolean isEmpty() {
        return freeCount == used;
    }

    List<AsyncCall<?>> takeAll() {
        List<AsyncCall<?>> all = new ArrayList<>();
        for (int slot = 0; slot < used; slot++) {
            if (calls[slot] != null) {
                all.add(take(slot));
            }
        }
        return all;
    }
}
