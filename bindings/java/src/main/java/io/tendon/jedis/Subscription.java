package io.tendon.jedis;

import io.tendon.jedis.commands.ProtocolCommand;
import io.tendon.jedis.exceptions.JedisConnectionException;
import io.tendon.jedis.exceptions.JedisDataException;
import io.tendon.jedis.exceptions.JedisException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * A connection with messages of channels or of MONITOR. One thread runs it, which calls the
 * listener; any thread may submit. The core connects again by itself and tells the gap.
 */
final class Subscription {
    /** What happens, called by the thread that runs the subscription. */
    interface Listener {
        /** Before the first command. */
        default void opened(Subscription subscription) {
        }

        default void closed(Subscription subscription) {
        }

        /** A message or a confirmation, as subscription.h describes them, or a line of MONITOR. */
        void message(Object raw, boolean again);

        /** Messages may have been missed: the connection was lost for so many milliseconds. */
        void gap(long milliseconds);

        /** The server's answer to a command. */
        void answer(Command command, Object raw);

        /** Whether there is anything to wait for. */
        boolean goesOn();
    }

    /** What was submitted, in the order in which the outcomes come. */
    enum Command { FIRST, LATER, ALL_GIVEN_UP, PING }

    /** subscription.h and queue.h. */
    private static final int EVENT_FAILED = 5;
    private static final int EVENT_MESSAGE = 12;
    private static final int EVENT_GAP = 13;
    /** For a client that was closed: nothing is told then of what nobody asked for. */
    private static final long LOOK_MS = 200;
    private static final int RECORD_BYTES = 64 * 1024;

    private final Core core;
    private final Engine engine;
    private final Handle handle;
    private boolean isConfirmed;
    private final Reply reply = new Reply();
    private final ByteBuffer record = Wire.direct(RECORD_BYTES);
    private final long recordAddress = NativeClient.address(record);

    Subscription(Core core) {
        this.core = core;
        this.engine = core.enter();
        this.handle = new Handle(open(), NativeClient::subscriptionWake, ended -> {
            NativeClient.subscriptionClose(ended);
            engine.leave();
        });
    }

    private long open() {
        try {
            return engine.subscription();
        } catch (RuntimeException failure) {
            engine.leave();
            throw failure;
        }
    }

    /** Sends the first command and listens; with other credentials again when those are refused. */
    static void listen(Core core, Listener listener, ProtocolCommand command, byte[]... names) {
        Subscription opened = new Subscription(core);
        try {
            listener.opened(opened);
            opened.submit(Command.FIRST, command, names);
            opened.run(listener);
            return;
        } catch (JedisException failure) {
            if (opened.isConfirmed || !core.renews(opened.engine, failure)) {
                throw failure;
            }
        } finally {
            opened.close();
            listener.closed(opened);
        }
        listen(core, listener, command, names);
    }

    /** Hands a command over; its answer comes to the listener. */
    void submit(Command command, ProtocolCommand name, byte[]... arguments) {
        CommandArguments words = new CommandArguments(name).addAll(arguments);
        long pointer = handle.enter();
        if (pointer == 0) {
            throw new JedisException("The subscription has ended");
        }
        try {
            long bytes = Wire.CALL_HEAD_BYTES + Wire.bytesOf(words);
            ByteBuffer frame = Wire.direct((int) Math.max(bytes, 1024));
            Wire.writeHead(frame, 1);
            Wire.writeCommand(frame, 0, words.size(), 0, command.ordinal(), 0);
            int sizesAt = Wire.CALL_HEAD_BYTES + Wire.COMMAND_HEAD_BYTES;
            Wire.writeWords(frame, words, sizesAt, sizesAt + 4 * words.size());
            long address = NativeClient.address(frame);
            if (NativeClient.subscriptionSubmit(pointer, address, frame.capacity()) < 0) {
                throw Wire.failure(frame, 0).exception();
            }
        } finally {
            handle.leave();
        }
    }

    /** Calls the listener until it has enough, the client is closed or the first command fails. */
    private void run(Listener listener) {
        ExecutorService carrier = Virtual.isCurrent() ? Executors.newSingleThreadExecutor() : null;
        try {
            while (listener.goesOn()) {
                if (core.isClosed()) {
                    throw Core.closed();
                }
                handle(listener, carrier == null ? take() : takeOn(carrier));
            }
        } finally {
            if (carrier != null) {
                carrier.shutdown();
            }
            close();
        }
    }

    private long take() {
        return NativeClient.subscriptionTake(
                handle.pointer(), LOOK_MS, recordAddress, record.capacity());
    }

    /** A virtual thread must not wait in native code. */
    private long takeOn(ExecutorService carrier) {
        return CompletableFuture.supplyAsync(this::take, carrier).join();
    }

    private void handle(Listener listener, long taken) {
        if (taken == -1) {
            return;
        }
        int event = (int) taken;
        long delay = taken >>> 32;
        int kind = record.getInt(4);
        if (event == EVENT_MESSAGE && kind >= 0) {
            listener.message(read(kind), delay == 1);
        } else if (event == EVENT_FAILED && kind < 0 && core.renews(engine, failure())) {
            throw failure(); /* another connection with these credentials is not to be had */
        } else if (event == EVENT_GAP) {
            listener.gap(delay);
        } else if (event == 0) {
            outcome(listener, Command.values()[(int) record.getLong(8)], kind);
        }
    }

    private void outcome(Listener listener, Command command, int kind) {
        if (kind < 0) {
            if (command == Command.FIRST) {
                throw failure();
            }
            listener.answer(command, null); /* it is tried on, and told when it has happened */
            return;
        }
        Object raw = read(kind);
        if (raw instanceof JedisDataException refused) {
            throw refused;
        }
        isConfirmed = true;
        listener.answer(command, raw);
    }

    private JedisException failure() {
        JedisException failure = Wire.failure(record, Wire.RECORD_HEAD_BYTES).exception();
        return failure instanceof JedisDataException || failure instanceof JedisConnectionException
                ? failure
                : new JedisConnectionException(failure.getMessage(), failure)
                          .with(failure.failure());
    }

    private Object read(int kind) {
        int body = Wire.RECORD_HEAD_BYTES;
        if (kind == 0) {
            Wire.point(reply, record, body);
        } else {
            reply.set(record, body, record, body + kind * Reply.NODE_BYTES);
        }
        return reply.object();
    }

    void close() {
        handle.close();
    }
}
