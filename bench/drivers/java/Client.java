package bench;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

/** A client as the drivers need it. What it cannot do it need not have; values null means GET. */
interface Client {
    /** Makes a client of a job's server. */
    interface Maker {
        Client open(Job job) throws Exception;
    }

    String get(String key) throws Exception;

    String set(String key, String value) throws Exception;

    default List<String> mget(String[] keys) throws Exception {
        throw new UnsupportedOperationException("lists");
    }

    default Map<String, String> hash(String key) throws Exception {
        throw new UnsupportedOperationException("hashes");
    }

    default List<String> pipeline(String[] keys, String[] values) throws Exception {
        throw new UnsupportedOperationException("pipelines");
    }

    String ping() throws Exception;

    void close() throws Exception;

    default CompletionStage<String> getLater(String key) {
        throw new UnsupportedOperationException("futures");
    }

    default CompletionStage<String> setLater(String key, String value) {
        throw new UnsupportedOperationException("futures");
    }

    /** On a connection of its own. */
    default Client lease() {
        throw new UnsupportedOperationException("leases");
    }

    /** Returns when the subscription is confirmed. */
    default void subscribe(String channel, Consumer<String> each) throws Exception {
        throw new UnsupportedOperationException("subscriptions");
    }

    /** Publishes all in one pipeline. */
    default void publish(String channel, List<String> messages) throws Exception {
        throw new UnsupportedOperationException("messages");
    }
}
