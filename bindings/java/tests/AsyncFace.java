package io.tendon.jedis.tests;

import io.tendon.jedis.AsyncJedis;
import io.tendon.jedis.commands.AsyncCommands;
import io.tendon.jedis.commands.JedisCommands;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;

/** An AsyncJedis as a blocking client, so that the same tests go through both interfaces. */
final class AsyncFace {
    private AsyncFace() {
    }

    static JedisCommands of(AsyncJedis client) {
        return (JedisCommands) Proxy.newProxyInstance(AsyncFace.class.getClassLoader(),
                new Class<?>[] {JedisCommands.class}, (proxy, method, arguments) -> {
                    Method twin = AsyncCommands.class.getMethod(
                            method.getName(), method.getParameterTypes());
                    try {
                        return await((CompletableFuture<?>) twin.invoke(client, arguments));
                    } catch (InvocationTargetException thrown) {
                        throw thrown.getCause();
                    }
                });
    }

    /** The result, or the failure itself; a future that never ends is an AssertionError. */
    static <T> T await(CompletableFuture<T> future) {
        try {
            return future.copy().orTimeout(Check.PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
        } catch (CompletionException failure) {
            if (failure.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw new AssertionError("a future failed with " + failure.getCause(), failure);
        }
    }
}
