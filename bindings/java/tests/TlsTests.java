package io.tendon.jedis.tests;

import io.tendon.jedis.HostAndPort;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisPool;
import io.tendon.jedis.JedisPoolConfig;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.SslOptions;
import io.tendon.jedis.SslVerifyMode;
import io.tendon.jedis.exceptions.Executed;
import io.tendon.jedis.exceptions.JedisConnectionException;
import io.tendon.jedis.exceptions.JedisValidationException;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocketFactory;

/** TLS and mutual TLS, and every way in which it must refuse. */
final class TlsTests {
    private static final Duration LIMIT = Duration.ofSeconds(20);

    private static Jedis connect(String server, SslOptions options) {
        return new Jedis(Servers.address(server), Servers.config().sslOptions(options).build());
    }

    @Case
    void poolWithOwnCa() {
        var config = Servers.config().sslOptions(Servers.trust().build()).build();
        try (JedisPool pool = new JedisPool(new JedisPoolConfig(), Servers.address("tls"), config);
                Jedis jedis = pool.getResource()) {
            jedis.setex("java:tls", 10, "v");
            Check.equal("v", jedis.get("java:tls"));
        }
        try (JedisPooled client = new JedisPooled(Servers.address("tls"), config)) {
            Check.equal("PONG", client.ping());
        }
        String url = "rediss://localhost:" + Servers.port("tls")
                + "?tls_ca_file=" + Servers.text("ca_file");
        try (JedisPool pool = new JedisPool(url)) {
            pool.withResource(jedis -> Check.equal("PONG", jedis.ping()));
        }
    }

    @Case
    void mutualTls() {
        SslOptions options = Servers.trust().certFile(Servers.text("mtls", "cert_file"))
                .keyFile(Servers.text("mtls", "key_file")).build();
        try (Jedis jedis = connect("mtls", options)) {
            Check.equal("PONG", jedis.ping());
        }
        JedisConnectionException failure = Check.failsWithin(LIMIT, JedisConnectionException.class,
                () -> connect("mtls", Servers.trust().build()));
        Check.equal(Executed.NO, failure.executed());
    }

    @Case
    void caDirectoryPemAndTrustStore() throws Exception {
        try (Jedis jedis = connect(
                     "tls", SslOptions.builder().caDir(Servers.text("tls", "ca_dir")).build())) {
            Check.equal("PONG", jedis.ping());
        }
        String pem = Files.readString(Path.of(Servers.text("ca_file")));
        try (Jedis jedis = connect("tls", SslOptions.builder().caPem(pem).build())) {
            Check.equal("PONG", jedis.ping());
        }
        char[] password = "changeit".toCharArray();
        File file = trustStore(password);
        try (Jedis jedis =
                        connect("tls", SslOptions.builder().truststore(file, password).build())) {
            Check.equal("PONG", jedis.ping());
        }
    }

    private static File trustStore(char[] password) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        try (FileInputStream in = new FileInputStream(Servers.text("ca_file"))) {
            store.setCertificateEntry(
                    "ca", CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        File file = File.createTempFile("tendon-java", ".p12");
        file.deleteOnExit();
        try (FileOutputStream out = new FileOutputStream(file)) {
            store.store(out, password);
        }
        return file;
    }

    @Case
    void untrustedAuthority() {
        JedisConnectionException failure = Check.failsWithin(LIMIT, JedisConnectionException.class,
                ()
                        -> connect("tls",
                                SslOptions.builder()
                                        .caFile(Servers.text("other_ca_file"))
                                        .build()));
        Check.equal(-24, failure.status());
        Check.equal(Executed.NO, failure.executed());
        JedisConnectionException system = Check.failsWithin(LIMIT, JedisConnectionException.class,
                () -> new Jedis("localhost", Servers.port("tls"), true));
        Check.equal(-24, system.status());
        Check.contains(system.getMessage(), "tls_ca_file");
    }

    @Case
    void wrongHostName() {
        JedisConnectionException failure = Check.failsWithin(LIMIT, JedisConnectionException.class,
                () -> connect("wrong_cert", Servers.trust().build()));
        Check.equal(-25, failure.status());
        Check.contains(failure.getMessage(), "localhost");
        String name = Servers.text("wrong_cert", "certificate_name");
        try (Jedis jedis = connect("wrong_cert", Servers.trust().serverName(name).build())) {
            Check.equal("PONG", jedis.ping());
        }
        try (Jedis jedis = connect(
                     "wrong_cert", Servers.trust().sslVerifyMode(SslVerifyMode.CA).build())) {
            Check.equal("PONG", jedis.ping());
        }
    }

    @Case
    void insecureSaysSo() {
        try (Jedis jedis = connect("tls", SslOptions.builder().insecure().build())) {
            Check.equal("PONG", jedis.ping());
        }
    }

    @Case
    void tlsToPlainAndReverse() {
        JedisConnectionException toPlain = Check.failsWithin(LIMIT, JedisConnectionException.class,
                () -> connect("standalone", Servers.trust().build()));
        /* A plain server waits for the rest of what it takes for a command. */
        Check.that(
                toPlain.status() == -23 || toPlain.status() == -22, "status " + toPlain.status());
        Check.contains(toPlain.getMessage(), "TLS");
        HostAndPort tls = Servers.address("tls");
        JedisConnectionException toTls = Check.failsWithin(LIMIT, JedisConnectionException.class,
                () -> new Jedis(tls, Servers.config().build()));
        Check.equal(Executed.NO, toTls.executed());
        Check.contains(toTls.getMessage(), "option tls");
    }

    @Case
    void filesThatAreMissing() {
        JedisValidationException ca = Check.fails(JedisValidationException.class,
                () -> connect("tls", SslOptions.builder().caFile("/nonexistent/ca.pem").build()));
        Check.equal(-10, ca.status());
        Check.contains(ca.getMessage(), "/nonexistent/ca.pem");
        JedisValidationException key = Check.fails(JedisValidationException.class,
                () -> connect("tls", Servers.trust().certFile(Servers.text("mtls", "cert_file"))
                        .keyFile("/nonexistent/key.pem").build()));
        Check.contains(key.getMessage(), "/nonexistent/key.pem");
    }

    @Case
    void javaTlsObjectsAreRefusedByName() throws Exception {
        SSLSocketFactory factory = SSLContext.getDefault().getSocketFactory();
        String[] names = {"sslSocketFactory", "sslParameters", "hostnameVerifier"};
        var configs = new Object[] {Servers.config().sslSocketFactory(factory),
            Servers.config().sslParameters(new SSLParameters()),
            Servers.config().hostnameVerifier((host, session) -> true)};
        for (int i = 0; i < names.length; i++) {
            var config = ((io.tendon.jedis.DefaultJedisClientConfig.Builder) configs[i])
                                 .ssl(true)
                                 .build();
            JedisValidationException failure = Check.fails(JedisValidationException.class,
                    () -> new JedisPool(Servers.address("tls"), config));
            Check.contains(failure.getMessage(), names[i]);
            Check.equal(Executed.NO, failure.executed());
        }
        Check.fails(IllegalArgumentException.class,
                () -> SslOptions.builder().keystore(new File("/none")));
        Check.fails(IllegalArgumentException.class,
                () -> SslOptions.builder().truststore(new File("/none")));
    }
}
