package io.tendon.jedis;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import javax.net.ssl.SSLParameters;

/**
 * How TLS is spoken. The native core does it (OpenSSL), so Java's key and trust
 * stores are read here and handed over. The defaults verify trust by the system's store, and the
 * host name.
 */
public final class SslOptions {
    private final Map<String, String> options;

    private SslOptions(Builder builder) {
        options = new LinkedHashMap<>(builder.options);
    }

    /** Trust by the system's store, host name verified. */
    public static SslOptions defaults() {
        return builder().build();
    }

    public static Builder builder() {
        return new Builder();
    }

    /** Options of docs/options.md. */
    Map<String, String> options() {
        return options;
    }

    /** Collects the options. */
    public static final class Builder {
        private final Map<String, String> options = new LinkedHashMap<>();

        private Builder() {
        }

        private Builder put(String name, String value) {
            options.put(name, value);
            return this;
        }

        /** PEM file of trusted certificates; instead of the system's. */
        public Builder caFile(String path) {
            return put("tls_ca_file", path);
        }

        /** Directory of trusted certificates with hashed names; instead of the system's. */
        public Builder caDir(String path) {
            return put("tls_ca_dir", path);
        }

        /** Trusted certificates as PEM text; instead of the system's. */
        public Builder caPem(String pem) {
            return put("tls_ca_pem", pem);
        }

        /** PEM file of the client certificate and its chain. */
        public Builder certFile(String path) {
            return put("tls_cert_file", path);
        }

        /** PEM file of the client key. */
        public Builder keyFile(String path) {
            return put("tls_key_file", path);
        }

        public Builder keyPassword(String password) {
            return put("tls_key_password", password);
        }

        /** Name to send and to verify instead of the host's. */
        public Builder serverName(String name) {
            return put("tls_server_name", name);
        }

        /** INSECURE: accepts any certificate from anybody. */
        public Builder insecure() {
            return sslVerifyMode(SslVerifyMode.INSECURE);
        }

        public Builder sslVerifyMode(SslVerifyMode mode) {
            put("tls_insecure_skip_verify", mode == SslVerifyMode.INSECURE ? "yes" : "no");
            return put("tls_insecure_skip_hostname", mode == SslVerifyMode.CA ? "yes" : "no");
        }

        /** Trusted certificates of a Java trust store, PKCS12 or JKS. */
        public Builder truststore(File file) {
            return truststore(file, null);
        }

        /** As truststore(file), with its password. */
        public Builder truststore(File file, char[] password) {
            try {
                return caPem(pem(KeyStore.getInstance(file, password)));
            } catch (IOException | GeneralSecurityException error) {
                throw new IllegalArgumentException(
                        "truststore " + file + ": " + error.getMessage(), error);
            }
        }

        /** As truststore(file, password), from anywhere. */
        public Builder truststore(URL url, char[] password) {
            return truststore(copy(url), password);
        }

        public Builder truststore(URL url) {
            return truststore(url, null);
        }

        /** The client's key and certificate, from a Java key store without a password. */
        public Builder keystore(File file) {
            return keystore(file, null);
        }

        /** The client's key and certificate: the first key of a Java key store, PKCS12 or JKS. */
        public Builder keystore(File file, char[] password) {
            try {
                return key(KeyStore.getInstance(file, password), password);
            } catch (IOException | GeneralSecurityException error) {
                throw new IllegalArgumentException(
                        "keystore " + file + ": " + error.getMessage(), error);
            }
        }

        public Builder keystore(URL url) {
            return keystore(url, null);
        }

        /** As keystore(file, password), from anywhere. */
        public Builder keystore(URL url, char[] password) {
            return keystore(copy(url), password);
        }

        /** Has no effect: the type is read from the store. */
        public Builder keyStoreType(String type) {
            return this;
        }

        /** Has no effect: the type is read from the store. */
        public Builder trustStoreType(String type) {
            return this;
        }

        /** Not null is refused: the native core speaks TLS itself. */
        public Builder sslParameters(SSLParameters parameters) {
            if (parameters != null) {
                throw CoreOptions.refused("sslParameters", "Java SSLParameters",
                        "use options tls_min_version and tls_ciphers");
            }
            return this;
        }

        /** "TLS", "TLSv1.2" or "TLSv1.3": the oldest version spoken. */
        public Builder sslProtocol(String name) {
            return name.startsWith("TLSv") ? put("tls_min_version", name.substring(4)) : this;
        }

        private static File copy(URL url) {
            try (InputStream in = url.openStream()) {
                File file = File.createTempFile("tendon", ".store");
                file.deleteOnExit();
                Files.copy(in, file.toPath(), StandardCopyOption.REPLACE_EXISTING);
                return file;
            } catch (IOException error) {
                throw new IllegalArgumentException(url + ": " + error.getMessage(), error);
            }
        }

        private Builder key(KeyStore store, char[] password) throws GeneralSecurityException {
            for (String alias : Collections.list(store.aliases())) {
                if (store.isKeyEntry(alias)) {
                    StringBuilder chain = new StringBuilder();
                    for (Certificate certificate : store.getCertificateChain(alias)) {
                        chain.append(pem("CERTIFICATE", certificate.getEncoded()));
                    }
                    byte[] key = store.getKey(alias, password).getEncoded();
                    return put("tls_cert_pem", chain.toString())
                            .put("tls_key_pem", pem("PRIVATE KEY", key));
                }
            }
            throw new IllegalArgumentException("the key store has no key");
        }

        private static String pem(KeyStore store) throws GeneralSecurityException {
            StringBuilder pem = new StringBuilder();
            for (String alias : Collections.list(store.aliases())) {
                Certificate certificate = store.getCertificate(alias);
                if (certificate != null) {
                    pem.append(pem("CERTIFICATE", certificate.getEncoded()));
                }
            }
            return pem.toString();
        }

        private static String pem(String what, byte[] encoded) {
            return "-----BEGIN " + what + "-----\n"
                    + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(encoded)
                    + "\n-----END " + what + "-----\n";
        }

        public SslOptions build() {
            return new SslOptions(this);
        }
    }
}
