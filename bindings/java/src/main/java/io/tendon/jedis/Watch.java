package io.tendon.jedis;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/**
 * Looks whether callbacks hold up a driver. One daemon thread for all of them, which sleeps when no
 * driver has delivered anything for a while, and ends with the last driver.
 */
final class Watch implements Runnable {
    private static final long TICK_NS = 10_000_000;
    private static final int QUIET_TICKS = 100;

    private static final Set<Driver> DRIVERS = ConcurrentHashMap.newKeySet();
    private static volatile Thread thread;
    private static volatile boolean asleep;

    private Watch() {
    }

    static synchronized void add(Driver driver) {
        DRIVERS.add(driver);
        if (thread == null) {
            thread = new Thread(null, new Watch(), "tendon-watch", 0, false);
            thread.setDaemon(true);
            thread.start();
        }
    }

    static void remove(Driver driver) {
        DRIVERS.remove(driver);
        LockSupport.unpark(thread);
    }

    /** A driver has begun to deliver. */
    static void notice() {
        if (asleep) {
            LockSupport.unpark(thread);
        }
    }

    private static synchronized boolean ends() {
        if (DRIVERS.isEmpty()) {
            thread = null;
        }
        return thread == null;
    }

    @Override
    public void run() {
        int quiet = 0;
        while (!ends()) {
            boolean active = false;
            for (Driver driver : DRIVERS) {
                active |= driver.tick();
            }
            quiet = active ? 0 : quiet + 1;
            if (quiet < QUIET_TICKS) {
                LockSupport.parkNanos(TICK_NS);
            } else {
                sleep();
            }
        }
    }

    private static void sleep() {
        asleep = true;
        if (DRIVERS.stream().noneMatch(Driver::isDelivering) && !DRIVERS.isEmpty()) {
            LockSupport.park();
        }
        asleep = false;
    }
}
