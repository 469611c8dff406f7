import io.tendon.jedis.exceptions.JedisException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

/**
 * The article's best practice "Handle connection failures gracefully": cache-aside in front of a
 * slow database. This program starts a server of its own, kills it in the middle and starts it
 * again; the application goes on, slower.
 */
public final class Degrade {
    private static final int DATABASE_MS = 20; /* what one question to the database takes */
    private static final int FIRST_PORT = 15660;
    private static final int LAST_PORT = 15695;
    private static final int USERS = 10;
    private static final int ROUNDS = 3;

    private static int reads;
    private static int errors;
    private static JedisException last;

    private Degrade() {
    }

    /** What the article calls `db`: the truth behind the cache. */
    private static String fetchUser(int id) {
        reads++;
        pause(DATABASE_MS);
        return "user " + id;
    }

    private static String getUser(int id) {
        String key = "degrade:java:" + id;
        try {
            String cached = RedisConnectionManager.getCachedValue(key);
            if (cached != null) {
                return cached;
            }
        } catch (JedisException error) {
            // Log the error but don't fail - fall through to database
            errors++;
            last = error;
        }
        // Cache miss or Redis unavailable - fetch from database
        String user = fetchUser(id);
        try {
            RedisConnectionManager.cacheValue(key, user, 60);
        } catch (JedisException error) {
            errors++; // Failed to cache - that's okay
            last = error;
        }
        return user;
    }

    public static void main(String[] arguments) throws Exception {
        int port = freePort();
        System.setProperty("REDIS_HOST", "127.0.0.1");
        System.setProperty("REDIS_PORT", Integer.toString(port));
        Process server = start(port);
        try {
            RedisConnectionManager.initialize();
            phase("server up      ");
            Endpoint.check(reads == USERS && errors == 0, "every user is read once");
            server.destroyForcibly().waitFor();
            long took = phase("server killed  ");
            Endpoint.check(
                    reads == USERS * ROUNDS && errors > 0, "the database answers everything");
            Endpoint.check(took < USERS * ROUNDS * DATABASE_MS + 20_000,
                    "slower, but nobody waits for long");
            System.out.println("  the last error: " + last.getMessage()
                    + " [executed: " + last.executed() + "]");
            server = start(port);
            awaitCache();
            phase("server up again");
            Endpoint.check(reads <= USERS + 1, "the cache is used again");
        } finally {
            RedisConnectionManager.shutdown();
            server.destroyForcibly().waitFor();
        }
    }

    /** Until the pool has connected again, which it tries every 100 ms at most. */
    private static void awaitCache() {
        long end = System.nanoTime() + 60_000_000_000L;
        while (System.nanoTime() < end) {
            try {
                RedisConnectionManager.getCachedValue("degrade:java");
                return;
            } catch (JedisException notYet) {
                pause(20);
            }
        }
    }

    /** Asks for ten users, three times each, and tells who answered and how long it took. */
    private static long phase(String title) {
        reads = 0;
        errors = 0;
        long began = System.nanoTime();
        for (int round = 0; round < ROUNDS; round++) {
            for (int id = 0; id < USERS; id++) {
                Endpoint.check(getUser(id).equals("user " + id), "user " + id);
            }
        }
        long took = (System.nanoTime() - began) / 1_000_000;
        System.out.println(title + ": " + USERS * ROUNDS + " right answers, "
                + (USERS * ROUNDS - reads) + " from the cache, " + reads + " from the database, "
                + errors + " errors logged, " + took + " ms");
        return took;
    }

    private static int freePort() throws IOException {
        for (int port = FIRST_PORT; port <= LAST_PORT; port++) {
            try (ServerSocket probe = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                return probe.getLocalPort();
            } catch (IOException taken) {
                continue;
            }
        }
        throw new IOException("no free port from " + FIRST_PORT + " to " + LAST_PORT);
    }

    private static Process start(int port) throws IOException {
        Process server = new ProcessBuilder("redis-server", "--port", Integer.toString(port),
                "--bind", "127.0.0.1", "--save", "")
                                 .redirectErrorStream(true)
                                 .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                                 .start();
        while (true) { // ready means answering
            try (Socket probe = new Socket("127.0.0.1", port)) {
                return server;
            } catch (IOException notYet) {
                if (!server.isAlive()) {
                    throw new IOException("redis-server did not start", notYet);
                }
                pause(20);
            }
        }
    }

    private static void pause(int milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
