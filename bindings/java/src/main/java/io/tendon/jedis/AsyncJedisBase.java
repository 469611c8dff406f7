package io.tendon.jedis;

import io.tendon.jedis.commands.AsyncCommands;
import io.tendon.jedis.commands.ProtocolCommand;
import io.tendon.jedis.exceptions.JedisValidationException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * A client whose commands are futures, for any number of threads and any number of commands under
 * way, over shared connections and with one thread of its own. Connects at its first command.
 *
 * <p>Futures fail with the exceptions that the blocking clients throw (join and get wrap them in a
 * CompletionException or ExecutionException). cancel, orTimeout and every other way to complete a
 * future early end the command: not sent if it was not, and a late answer is dropped. Null is
 * refused at once, as in the blocking clients. Of commands under way there are at most as many as
 * option max_pending says; more fail at once, not executed. Byte arrays are read when the command
 * is sent: leave them as they are until its future ends.
 *
 * <p>Callbacks (thenApply and so on) run on a daemon thread of the client, or where
 * {@link AsyncJedis.Builder#executor} says. They may call this client and may wait for it: when a
 * callback blocks, another thread takes over the client's work within some 20 milliseconds, at once
 * for join and get on a future of this client; up to 256 may block at a time. For long work use
 * thenApplyAsync, as ever.
 *
 * <p>close fails what is under way with a JedisException of status CLOSED that says whether it was
 * executed. A program may end without close: no thread of the client keeps the JVM.
 */
public abstract class AsyncJedisBase implements AsyncCommands, AutoCloseable {
    private final Core core;
    private final Setup setup;
    private final CommandKeyArgumentPreProcessor keys;
    private Core messages; /* a client with a thread, for subscriptions */

    AsyncJedisBase(Setup setup) {
        if (setup.server == null && setup.nodes == null && setup.url == null) {
            throw new JedisValidationException("An AsyncJedis needs server, nodes or url");
        }
        this.setup = setup;
        CoreOptions options = CoreOptions.of(setup);
        options.put("drive", "host");
        keys = options.config().getCommandKeyArgumentPreProcessor();
        core = new Core(options, "tendon-async", setup.executor);
    }

    /** A command that is not sent yet. */
    <T> AsyncCall<T> call(CommandArguments arguments, Builder<T> builder) {
        CommandArguments sent = arguments == null ? null : arguments.process(keys);
        AsyncCall<T> call = new AsyncCall<>(this, sent, builder);
        core.renewsAfter(call);
        return call;
    }

    /** A command of a group that nobody wants once {@code last} has ended. */
    AsyncCall<Object> step(AsyncCall<?> last, CommandArguments arguments) {
        return new AsyncCall<>(this, arguments, BuilderFactory.RAW_OBJECT) {
            @Override
            boolean isAbandoned() {
                return last.isDone();
            }
        };
    }

    /** The end of a group; {@code onFailure} runs before its future fails. */
    AsyncCall<List<Object>> exec(
            Builder<List<Object>> builder, Consumer<Throwable> onFailure) {
        CommandArguments arguments = new CommandArguments(Protocol.Command.EXEC);
        return new AsyncCall<>(this, arguments, builder) {
            @Override
            void beforeFailure(Throwable failure) {
                onFailure.accept(failure);
            }
        };
    }

    void send(List<AsyncCall<?>> calls) {
        core.send(calls);
    }

    @Override
    public <T> CompletableFuture<T> executeCommand(
            CommandArguments arguments, Builder<T> builder) {
        AsyncCall<T> call = call(arguments, builder);
        core.send(List.of(call));
        return call;
    }

    /** Commands kept until they are sent together. */
    public AsyncPipeline pipelined() {
        return new AsyncPipeline(this);
    }

    /** A transaction. In a cluster all its keys are of one slot. */
    public AsyncTransaction multi() {
        return new AsyncTransaction(this);
    }

    /**
     * A transaction over a connection of its own, to be closed; with {@code false}, watch before
     * multi, and commands in between are sent at once. As in Jedis, not in a cluster.
     */
    public AsyncTransaction transaction(boolean doMulti) {
        if (setup.nodes != null) {
            throw new UnsupportedOperationException(
                    "Watched transactions are not supported in a cluster; use multi()"
                    + " with the keys of one slot");
        }
        AsyncCall<Object> ready =
                call(new CommandArguments(Protocol.Command.PING), BuilderFactory.RAW_OBJECT);
        return new AsyncTransaction(this, core.lease(ready), doMulti);
    }

    /**
     * Subscribes; the listener is called by a thread of its own, and the future ends when nothing
     * is subscribed any more, or fails as JedisPooled.subscribe does. Cancelling it ends that.
     */
    public CompletableFuture<Void> subscribe(JedisPubSub listener, String... channels) {
        return listen(listener, Protocol.Command.SUBSCRIBE, channels);
    }

    /** As subscribe(JedisPubSub, String...). */
    public CompletableFuture<Void> subscribe(BinaryJedisPubSub listener, byte[]... channels) {
        return listen(listener, Protocol.Command.SUBSCRIBE, channels);
    }

    /** As subscribe, to all channels whose names fit one of the patterns. */
    public CompletableFuture<Void> psubscribe(JedisPubSub listener, String... patterns) {
        return listen(listener, Protocol.Command.PSUBSCRIBE, patterns);
    }

    /** As psubscribe(JedisPubSub, String...). */
    public CompletableFuture<Void> psubscribe(BinaryJedisPubSub listener, byte[]... patterns) {
        return listen(listener, Protocol.Command.PSUBSCRIBE, patterns);
    }

    /** As subscribe, to channels that belong to the slot of their name. */
    public CompletableFuture<Void> ssubscribe(JedisShardedPubSub listener, String... channels) {
        return listen(listener, Protocol.Command.SSUBSCRIBE, channels);
    }

    /** As ssubscribe(JedisShardedPubSub, String...). */
    public CompletableFuture<Void> ssubscribe(
            BinaryJedisShardedPubSub listener, byte[]... channels) {
        return listen(listener, Protocol.Command.SSUBSCRIBE, channels);
    }

    private <T> CompletableFuture<Void> listen(
            MessageListener<T> listener, ProtocolCommand command, T[] names) {
        Core own = messages();
        CompletableFuture<Void> ended = new CompletableFuture<>();
        Thread thread = new Thread(null, () -> {
            try {
                listener.run(own, command, names);
                ended.complete(null);
            } catch (Throwable failure) {
                ended.completeExceptionally(failure);
            }
        }, "tendon-messages", 0, false);
        thread.setDaemon(true);
        ended.whenComplete((nothing, failure) -> listener.stop(ended.isCancelled()));
        thread.start();
        return ended;
    }

    private synchronized Core messages() {
        if (core.isClosed()) {
            throw Core.closed();
        }
        if (messages == null) {
            messages = new Core(CoreOptions.of(setup));
        }
        return messages;
    }

    private synchronized void closeMessages() {
        if (messages != null) {
            messages.close();
        }
    }

    public boolean isClosed() {
        return core.isClosed();
    }

    /** Stops the client. Does not wait for callbacks. */
    @Override
    public void close() {
        core.close();
        closeMessages();
    }
}
