package conformance;

import io.tendon.jedis.BinaryJedisPubSub;
import io.tendon.jedis.BinaryJedisShardedPubSub;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * What a program does with a client, or with a lease. Results may be futures; everything may throw
 * what the library throws.
 */
interface Client extends Commands {
    /** Commands that are sent together. */
    interface Group {
        /** What takes them, and returns what {@code end} wants of each. */
        Commands commands();

        /**
         * Of a transaction: the results in order, those that were not taken in their places.
         */
        static List<Object> merged(List<Object> executed, List<Object> taken) {
            List<Object> results = executed == null ? null : new ArrayList<>(executed);
            for (int i = 0; results != null && i < taken.size(); i++) {
                if (taken.get(i) instanceof Exception refused) {
                    results.add(i, refused);
                }
            }
            return results;
        }

        /** Sends all and gives the list of their results; of those not taken, the exception. */
        Object end(List<Object> taken) throws Exception;

        void close();
    }

    /** A connection with watched keys. */
    interface Watch extends Commands {
        /** After whose end this is closed. */
        Group transaction();

        void close() throws Exception;
    }

    Group pipeline();

    Group transaction();

    Watch watch(byte[][] keys) throws Exception;

    default Client lease() {
        throw new UnsupportedOperationException("this client lends no connection");
    }

    /** Starts a command and gives it up. */
    default Object cancel(Words words, long milliseconds) throws Exception {
        return "unsupported";
    }

    default void readStatistics() {
        throw new UnsupportedOperationException("there are no statistics of this");
    }

    /** The future ends with the subscription. */
    default CompletableFuture<Void> subscribe(BinaryJedisPubSub listener, byte[][] names) {
        throw new UnsupportedOperationException("a lease has no subscriptions");
    }

    default CompletableFuture<Void> psubscribe(BinaryJedisPubSub listener, byte[][] names) {
        throw new UnsupportedOperationException("a lease has no subscriptions");
    }

    default CompletableFuture<Void> ssubscribe(BinaryJedisShardedPubSub listener, byte[][] names) {
        throw new UnsupportedOperationException("a lease has no subscriptions");
    }

    void close();
}
