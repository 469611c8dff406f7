package conformance;

import io.tendon.jedis.DefaultJedisClientConfig;
import io.tendon.jedis.HostAndPort;
import io.tendon.jedis.JedisClientConfig;
import io.tendon.jedis.RedisProtocol;
import io.tendon.jedis.SslOptions;
import java.io.File;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What connect says of a client. */
record Settings(boolean cluster, HostAndPort server, JedisClientConfig config) {
    private static final char[] PASSWORD = "conformance".toCharArray();
    private static final Map<String, File> TRUST_STORES = new ConcurrentHashMap<>();

    static Settings of(String kind, String host, String port, Map<String, String> options) {
        DefaultJedisClientConfig.Builder config = DefaultJedisClientConfig.builder();
        options.forEach((name, value) -> {
            switch (name) {
                case "protocol" -> config.protocol(
                        value.equals("3") ? RedisProtocol.RESP3 : RedisProtocol.RESP2);
                case "tls_ca" -> config.ssl(true).sslOptions(
                        SslOptions.builder().truststore(trustStore(value), PASSWORD).build());
                case "timeout_ms" -> config.socketTimeoutMillis(Integer.parseInt(value));
                default -> throw new Broken("there is no option " + name);
            }
        });
        HostAndPort server = new HostAndPort(host, Integer.parseInt(port));
        return new Settings(kind.equals("cluster"), server, config.build());
    }

    /** Java's form of a PEM file of certificates, made once. */
    private static File trustStore(String pem) {
        return TRUST_STORES.computeIfAbsent(pem, path -> {
            try (InputStream in = Files.newInputStream(Path.of(path))) {
                KeyStore store = KeyStore.getInstance("PKCS12");
                store.load(null, PASSWORD);
                for (Certificate one : CertificateFactory.getInstance("X.509")
                        .generateCertificates(in)) {
                    store.setCertificateEntry("ca" + store.size(), one);
                }
                File file = File.createTempFile("conformance", ".p12");
                file.deleteOnExit();
                try (OutputStream out = Files.newOutputStream(file.toPath())) {
                    store.store(out, PASSWORD);
                }
                return file;
            } catch (Exception error) {
                throw new Broken(error);
            }
        });
    }
}
