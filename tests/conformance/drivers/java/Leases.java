package conformance;

import io.tendon.jedis.JedisPool;

/** The connections that a client lends, of a JedisPool that is made when it is needed. */
final class Leases {
    private final Settings settings;
    private JedisPool pool;
    private boolean closed;

    Leases(Settings settings) {
        this.settings = settings;
    }

    Client lease() {
        if (settings.cluster()) {
            throw new UnsupportedOperationException("a client of a cluster lends no connection");
        }
        return new BlockingClient.Lease(pool().getResource());
    }

    synchronized JedisPool pool() {
        if (pool == null) {
            pool = new JedisPool(settings.server(), settings.config());
            if (closed) {
                pool.close();
            }
        }
        return pool;
    }

    synchronized void close() {
        closed = true;
        if (pool != null) {
            pool.close();
        }
    }
}
