package io.tendon.jedis.tests;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Runs every case of every class below and prints the count last. An argument selects by part of
 * the name.
 */
public final class TestMain {
    private static final int CASE_SECONDS = 180;

    private static final List<Class<?>> SUITES = List.of(CommandTests.class, SurfaceTests.class,
            MirrorTests.class, TypeTests.class, LoginTests.class, PubSubTests.class,
            ReplyTests.class, PipelineTests.class, TransactionTests.class, PoolTests.class,
            OptionTests.class, TlsTests.class, ClusterTests.class, BadInputTests.class,
            LifecycleTests.class, ThreadTests.class, FailureTests.class, AsyncTests.class,
            AsyncCallbackTests.class, AsyncLoadTests.class, AsyncLifecycleTests.class,
            AsyncWatchTests.class, UnifiedTests.class);

    private static int passed;
    private static int failed;

    private TestMain() {
    }

    public static void main(String[] arguments) {
        String wanted = arguments.length > 0 ? arguments[0] : "";
        List<Class<?>> suites = new ArrayList<>(SUITES);
        if (VirtualTests.areThere()) {
            suites.add(VirtualTests.class);
        }
        for (Class<?> suite : suites) {
            Method[] methods = suite.getDeclaredMethods();
            Arrays.sort(methods, Comparator.comparing(Method::getName));
            for (Method method : methods) {
                String name = suite.getSimpleName() + "." + method.getName();
                if (method.isAnnotationPresent(Case.class) && name.contains(wanted)) {
                    run(suite, method, name);
                }
            }
        }
        System.out.println(passed + " passed, " + failed + " failed");
        System.exit(failed == 0 ? 0 : 1); /* also when a failed case left a thread behind */
    }

    private static void run(Class<?> suite, Method method, String name) {
        long start = System.nanoTime();
        FutureTask<Void> task = new FutureTask<>(() -> invoke(suite, method));
        Thread thread = start(task, name);
        Throwable failure = null;
        try {
            task.get(CASE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException error) {
            failure = error.getCause();
        } catch (InterruptedException | TimeoutException error) {
            failure = new AssertionError("hangs");
            failure.setStackTrace(thread.getStackTrace());
        }
        report(name, failure, (System.nanoTime() - start) / 1_000_000);
    }

    /** With -Dvirtual=true every case runs on a virtual thread, which blocks in another way. */
    private static Thread start(Runnable task, String name) {
        if (!Boolean.getBoolean("virtual")) {
            Thread thread = new Thread(task, name);
            thread.setDaemon(true);
            thread.start();
            return thread;
        }
        try {
            return (Thread) Thread.class.getMethod("startVirtualThread", Runnable.class)
                    .invoke(null, task);
        } catch (ReflectiveOperationException older) {
            throw new IllegalStateException("virtual threads need Java 21", older);
        }
    }

    private static Void invoke(Class<?> suite, Method method) throws Exception {
        try {
            method.setAccessible(true);
            method.invoke(suite.getDeclaredConstructor().newInstance());
            return null;
        } catch (InvocationTargetException thrown) {
            if (thrown.getCause() instanceof Exception exception) {
                throw exception;
            }
            throw (Error) thrown.getCause();
        }
    }

    private static void report(String name, Throwable failure, long milliseconds) {
        if (failure == null) {
            passed++;
            System.out.println("ok     " + name + " (" + milliseconds + " ms)");
            return;
        }
        failed++;
        System.out.println("FAILED " + name + " (" + milliseconds + " ms)");
        failure.printStackTrace(System.out);
    }
}
