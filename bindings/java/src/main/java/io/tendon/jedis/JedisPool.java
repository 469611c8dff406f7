package io.tendon.jedis;

import io.tendon.jedis.exceptions.Failure;
import io.tendon.jedis.exceptions.JedisException;
import java.io.Closeable;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocketFactory;

/**
 * Lends connections, one to each borrower, to any number of threads. The pool is in the native
 * core; nothing connects before a connection is needed or minIdle asks for one.
 *
 * <p>Of the constructors: {@code timeout} is in milliseconds and means connecting and each reply;
 * no JedisPoolConfig means the defaults of GenericObjectPoolConfig. The TLS objects of Java must be
 * null.
 */
public class JedisPool implements Closeable {
    private final Core core;
    private final int maxTotal;

    public JedisPool() {
        this(Protocol.DEFAULT_HOST, Protocol.DEFAULT_PORT);
    }

    /** A URL as for Jedis(String), or a host name. */
    public JedisPool(String urlOrHost) {
        this(new GenericObjectPoolConfig<>(), urlOrHost);
    }

    public JedisPool(URI uri) {
        this(uri.toString());
    }

    public JedisPool(URI uri, int timeout) {
        this(new GenericObjectPoolConfig<>(), uri, timeout);
    }

    public JedisPool(String host, int port) {
        this(new GenericObjectPoolConfig<>(), host, port);
    }

    public JedisPool(String host, int port, boolean ssl) {
        this(new GenericObjectPoolConfig<>(), host, port, ssl);
    }

    public JedisPool(String host, int port, String user, String password) {
        this(new GenericObjectPoolConfig<>(), host, port, user, password);
    }

    public JedisPool(HostAndPort server, JedisClientConfig config) {
        this(new GenericObjectPoolConfig<>(), server, config);
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool) {
        this(pool, Protocol.DEFAULT_HOST, Protocol.DEFAULT_PORT);
    }

    /** A URL as for Jedis(String), or a host name. */
    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String urlOrHost) {
        this(pool, URIs.optionsOf(urlOrHost, config(Protocol.DEFAULT_TIMEOUT).build()),
                URIs.urlOf(urlOrHost));
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, URI uri) {
        this(pool, uri.toString());
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, URI uri, int timeout) {
        this(pool, URIs.optionsOf(uri.toString(), config(timeout).build()), uri.toString());
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port) {
        this(pool, host, port, Protocol.DEFAULT_TIMEOUT);
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port, boolean ssl) {
        this(pool, host, port, Protocol.DEFAULT_TIMEOUT, ssl);
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port, String user,
            String password) {
        this(pool, host, port, Protocol.DEFAULT_TIMEOUT, user, password);
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port, int timeout) {
        this(pool, host, port, timeout, (String) null);
    }

    public JedisPool(
            GenericObjectPoolConfig<Jedis> pool, String host, int port, int timeout, boolean ssl) {
        this(pool, host, port, timeout, null, ssl);
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port, int timeout,
            String password) {
        this(pool, host, port, timeout, password, Protocol.DEFAULT_DATABASE);
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port, int timeout,
            String password, boolean ssl) {
        this(pool, host, port, timeout, password, Protocol.DEFAULT_DATABASE, ssl);
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port, int timeout,
            String password, boolean ssl, SSLSocketFactory factory, SSLParameters parameters,
            HostnameVerifier verifier) {
        this(pool, new HostAndPort(host, port),
                config(timeout)
                        .password(password)
                        .ssl(ssl)
                        .sslSocketFactory(factory)
                        .sslParameters(parameters)
                        .hostnameVerifier(verifier)
                        .build());
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port, int timeout,
            String user, String password) {
        this(pool, host, port, timeout, user, password, Protocol.DEFAULT_DATABASE);
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port, int timeout,
            String user, String password, boolean ssl) {
        this(pool, host, port, timeout, user, password, Protocol.DEFAULT_DATABASE, null, ssl);
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port, int timeout,
            String password, int database) {
        this(pool, host, port, timeout, password, database, null);
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port, int timeout,
            String password, int database, boolean ssl) {
        this(pool, host, port, timeout, password, database, null, ssl);
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port, int timeout,
            String user, String password, int database) {
        this(pool, host, port, timeout, user, password, database, null);
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port, int timeout,
            String password, int database, String clientName) {
        this(pool, host, port, timeout, password, database, clientName, false);
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port, int timeout,
            String password, int database, String clientName, boolean ssl) {
        this(pool, host, port, timeout, null, password, database, clientName, ssl);
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port, int timeout,
            String user, String password, int database, String clientName) {
        this(pool, host, port, timeout, user, password, database, clientName, false);
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port, int timeout,
            String user, String password, int database, String clientName, boolean ssl) {
        this(pool, new HostAndPort(host, port), config(timeout).user(user).password(password)
                .database(database).clientName(clientName).ssl(ssl).build());
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port,
            int connectionTimeout, int soTimeout, String password, int database,
            String clientName) {
        this(pool, host, port, connectionTimeout, soTimeout, password, database, clientName, false);
    }

    public JedisPool(GenericObjectPoolConfig<Jedis> pool, String host, int port,
            int connectionTimeout, int soTimeout, String password, int database, String clientName,
            boolean ssl) {
        this(pool, new HostAndPort(host, port), config(soTimeout)
                .connectionTimeoutMillis(connectionTimeout).password(password).database(database)
                .clientName(clientName).ssl(ssl).build());
    }

    public JedisPool(
            GenericObjectPoolConfig<Jedis> pool, HostAndPort server, JedisClientConfig config) {
        this(pool, CoreOptions.standalone(server, config), null);
    }

    private JedisPool(GenericObjectPoolConfig<Jedis> pool, CoreOptions options, String url) {
        maxTotal = pool.getMaxTotal();
        core = new Core(options.pool(pool, 1).options(), url);
    }

    private static DefaultJedisClientConfig.Builder config(int timeout) {
        return DefaultJedisClientConfig.builder().timeoutMillis(timeout);
    }

    /**
     * Borrows a connection; close gives it back. JedisExhaustedPoolException when none became free,
     * else what connecting throws.
     */
    public Jedis getResource() {
        if (core.isClosed()) {
            throw notOpen();
        }
        try {
            return new Jedis(core, core.lease());
        } catch (JedisException failure) {
            throw failure.status() == Failure.CLOSED ? notOpen() : failure;
        }
    }

    private static JedisException notOpen() {
        String message =
                "Could not get a resource from the pool: it has been closed; make a new one";
        return new JedisException(message, new IllegalStateException("Pool not open"))
                .with(Failure.before(Failure.CLOSED, message));
    }

    /** As {@code resource.close()}. */
    public void returnResource(Jedis resource) {
        if (resource != null) {
            resource.close();
        }
    }

    /** Closes the connection instead of keeping it. */
    public void returnBrokenResource(Jedis resource) {
        if (resource != null) {
            resource.disconnect();
            resource.close();
        }
    }

    /** Borrows a connection for {@code use}. */
    public void withResource(Consumer<Jedis> use) {
        try (Jedis jedis = getResource()) {
            use.accept(jedis);
        }
    }

    /** Borrows a connection for {@code use}, and returns what that returns. */
    public <K> K withResourceGet(Function<Jedis, K> use) {
        try (Jedis jedis = getResource()) {
            return use.apply(jedis);
        }
    }

    /** Opens connections ahead, up to maxIdle. */
    public void addObjects(int count) {
        List<Jedis> borrowed = new ArrayList<>(count);
        try {
            for (int i = 0; i < count; i++) {
                borrowed.add(getResource());
            }
        } finally {
            borrowed.forEach(Jedis::close);
        }
    }

    /** Connections lent. 0 after close. */
    public int getNumActive() {
        return isClosed() ? 0 : core.stats().leased();
    }

    /** Connections open and not lent. 0 after close. */
    public int getNumIdle() {
        return isClosed() ? 0 : core.stats().idle();
    }

    /** Threads that wait for a connection. 0 after close. */
    public int getNumWaiters() {
        return isClosed() ? 0 : core.stats().waiting();
    }

    /** Connections opened so far. */
    public long getCreatedCount() {
        return isClosed() ? 0 : core.stats().created();
    }

    public int getMaxTotal() {
        return maxTotal;
    }

    public boolean isClosed() {
        return core.isClosed();
    }

    /** Closes all connections, lent ones too; commands that are running fail. */
    @Override
    public void close() {
        core.close();
    }

    public void destroy() {
        close();
    }
}
