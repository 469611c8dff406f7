package io.tendon.jedis;

import io.tendon.jedis.exceptions.Executed;
import io.tendon.jedis.exceptions.Failure;
import io.tendon.jedis.exceptions.JedisException;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * What a client is inside: its commands and its leases go to the native core. Any number of threads
 * may use it. When the server refuses the credentials that a program's provider gave, that is asked
 * again, and other credentials mean another native client: what uses the old one may end there.
 */
final class Core {
    private static final Cleaner CLEANER = Cleaner.create();

    private final Map<String, String> options;
    private final String url;
    private final Login login; /* null: without a provider */
    private final Consumer<Engine> prepare;
    private final ReentrantLock renewing = new ReentrantLock();
    /** All that have not ended. */
    private final Set<Engine> engines = ConcurrentHashMap.newKeySet();
    private volatile Engine engine;
    private volatile boolean closed;

    /** Checks the options; connects nothing. */
    Core(CoreOptions told) {
        this(told, made -> { });
    }

    /** As above, with a driver that completes futures; {@code executor} may be null. */
    Core(CoreOptions told, String driver, Executor executor) {
        this(told, made -> made.drive(driver, executor));
    }

    private Core(CoreOptions told, Consumer<Engine> prepare) {
        this.options = told.options();
        this.url = told.url();
        this.login = told.login();
        this.prepare = prepare;
        if (login != null) {
            login.renew(options);
        }
        engine = engine();
        /* For a program that forgot close, of this or of a Jedis that it borrowed from this. */
        Set<Engine> left = engines;
        CLEANER.register(this, () -> left.forEach(Engine::reclaim));
    }

    private Engine engine() {
        Engine made = new Engine(options, url, engines);
        prepare.accept(made);
        return made;
    }

    /** The present one, which stays until leave. */
    Engine enter() {
        Engine entered = tryEnter();
        if (entered == null) {
            throw closed();
        }
        return entered;
    }

    private Engine tryEnter() {
        Engine present = engine;
        while (!present.enter()) {
            Engine newer = engine;
            if (newer == present) {
                return null;
            }
            present = newer;
        }
        return present;
    }

    static JedisException closed() {
        return Failure.before(Failure.CLOSED,
                "The client has been closed; make a new one. Nothing was sent").exception();
    }

    /** Asks the provider, where there is one, and uses what it says from now on. */
    void renew() {
        if (login != null) {
            renew(engine);
        }
    }

    /** Whether there are other credentials now than those of {@code refused}. */
    private boolean renew(Engine refused) {
        renewing.lock();
        try {
            if (closed || engine != refused) {
                return !closed;
            }
            if (!login.renew(options)) {
                return false;
            }
            engine = engine();
            refused.retire();
            if (closed) { /* meanwhile; whoever did so may not have seen the new one */
                engine.close();
            }
            return true;
        } finally {
            renewing.unlock();
        }
    }

    private boolean isRefused(Throwable failure) {
        return login != null && failure instanceof JedisException told
                && told.status() == Failure.AUTH && told.executed() == Executed.NO;
    }

    /** Whether what failed is worth another try, because there are other credentials now. */
    boolean renews(Engine used, JedisException failure) {
        return isRefused(failure) && renew(used);
    }

    /** As renews, for the commands to come: not on this thread, which completes futures. */
    void renewsAfter(AsyncCall<?> call) {
        if (login != null) {
            Engine used = engine;
            call.whenComplete((result, failure) -> {
                if (isRefused(failure)) {
                    CompletableFuture.runAsync(() -> renew(used));
                }
            });
        }
    }

    private <R> R use(boolean again, Function<Engine, R> action) {
        Engine used = enter();
        try {
            return action.apply(used);
        } catch (JedisException failure) {
            if (!again || !renews(used, failure)) {
                throw failure;
            }
        } finally {
            used.leave();
            Reference.reachabilityFence(this);
        }
        return use(false, action);
    }

    private <R> R use(Lease lease, Function<Engine, R> action) {
        if (closed) {
            throw closed();
        }
        lease.enter();
        try {
            return action.apply(lease.engine());
        } catch (JedisException failure) {
            lease.breakOn(failure);
            throw failure;
        } finally {
            lease.leave();
            Reference.reachabilityFence(this);
        }
    }

    /** Sends one command, on {@code lease} or, when that is null, where the core chooses. */
    <T> T call(Lease lease, CommandArguments arguments, Builder<T> builder) {
        return lease == null ? use(true, used -> used.call(this, 0, arguments, builder))
                             : use(lease, used -> used.call(
                                     this, lease.pointer(), arguments, builder));
    }

    /** Sends commands together; each learns its own outcome. Throws when nothing was sent. */
    void batch(Lease lease, List<? extends Pending> commands) {
        if (lease != null) {
            lease.breakOn(use(lease, used -> used.batch(this, lease.pointer(), commands)));
            return;
        }
        Engine present = engine;
        JedisException failure = use(true, used -> used.batch(this, 0, commands));
        if (failure != null && renews(present, failure)) {
            List<? extends Pending> refused =
                    commands.stream().filter(command -> isRefused(command.failure)).toList();
            use(false, used -> used.batch(this, 0, refused));
        }
    }

    /** Waits until a connection is ready. */
    void connect() {
        use(true, used -> {
            used.connect();
            return null;
        });
    }

    /** Borrows a connection. */
    Lease lease() {
        return use(true, used -> new Lease(this, used, used.lease(this)));
    }

    /** As lease, without waiting: commands on it wait with it. */
    Lease lease(AsyncCall<?> ready) {
        return use(false, used -> new Lease(this, used, used.lease(ready)));
    }

    /** Hands commands over without waiting; those of a closed client fail. */
    void send(List<? extends AsyncCall<?>> calls) {
        Engine entered = tryEnter();
        if (entered == null) {
            engine.driver().send(calls);
        } else {
            entered.driver().send(calls);
            entered.leave();
        }
    }

    Engine.Stats stats() {
        return use(false, Engine::stats);
    }

    boolean isClosed() {
        return closed;
    }

    /** Stops the client; calls that are running end with CLOSED. */
    void close() {
        closed = true;
        engines.forEach(Engine::close);
    }
}
