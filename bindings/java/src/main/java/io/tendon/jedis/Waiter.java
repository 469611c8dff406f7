package io.tendon.jedis;

import io.tendon.jedis.exceptions.Failure;
import io.tendon.jedis.exceptions.JedisException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/**
 * Blocking calls of virtual threads: they wait for a future, which frees their carrier, where a
 * call into native code would keep it.
 */
final class Waiter {
    private final Driver driver;

    Waiter(Driver driver) {
        this.driver = driver;
    }

    private <T> AsyncCall<T> prepare(
            Core core, long lease, CommandArguments arguments, Builder<T> builder) {
        AsyncCall<T> call = new AsyncCall<>(core, arguments, builder);
        call.lease = lease;
        return call;
    }

    <T> T call(Core core, long lease, CommandArguments arguments, Builder<T> builder) {
        AsyncCall<T> call = prepare(core, lease, arguments, builder);
        driver.send(call);
        return await(call);
    }

    /** The result; or the failure, as if it had been thrown here. */
    private static <T> T await(CompletableFuture<T> call) {
        try {
            return call.join();
        } catch (CompletionException failed) {
            if (failed.getCause() instanceof RuntimeException cause) {
                cause.fillInStackTrace();
                throw cause;
            }
            throw failed;
        }
    }

    /** As Exchange.batch. */
    JedisException batch(Core core, long lease, List<? extends Pending> commands) {
        List<AsyncCall<Object>> calls = new ArrayList<>(commands.size());
        for (Pending command : commands) {
            AsyncCall<Object> call =
                    prepare(core, lease, command.arguments, BuilderFactory.RAW_OBJECT);
            call.flags = command.flags;
            calls.add(call);
        }
        driver.send(calls);
        JedisException failure = null;
        for (int i = 0; i < calls.size(); i++) {
            try {
                commands.get(i).answered(await(calls.get(i)));
            } catch (JedisException failed) {
                if (failed.status() == Failure.NONE) {
                    commands.get(i).answered(failed); /* the server's error is an answer */
                } else {
                    commands.get(i).failed(failed);
                    failure = failed;
                }
            }
        }
        return failure;
    }

    /** Waits for a connection of its own. */
    long lease(Core core, long timeoutMs) {
        CommandArguments none = new CommandArguments(Protocol.Command.PING); /* not sent */
        AsyncCall<Object> ready = prepare(core, 0, none, BuilderFactory.RAW_OBJECT);
        long lease = driver.lease(ready, timeoutMs);
        try {
            await(ready);
            return lease;
        } catch (RuntimeException | Error failure) {
            NativeClient.leaseEnd(lease, true);
            throw failure;
        }
    }
}
