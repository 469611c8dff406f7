package io.tendon.jedis;

import java.io.File;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.Base64;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How TLS is spoken. The native core does it (OpenSSL), so certificates are PEM files; Jedis' trust
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

        /** Refused: the core reads the client's key from PEM files. */
        public Builder keystore(File file) {
            throw CoreOptions.refused(
                    "keystore", "a Java key store", "use certFile and keyFile (PEM)");
        }

        private static String pem(KeyStore store) throws GeneralSecurityException {
            StringBuilder pem = new StringBuilder();
            for (String alias : Collections.list(store.aliases())) {
                Certificate certificate = store.getCertificate(alias);
                if (certificate != null) {
                    pem.append("-----BEGIN CERTIFICATE-----\n")
                            .append(Base64.getMimeEncoder(64, new byte[] {'\n'})
                                    .encodeToString(certificate.getEncoded()))
                            .append("\n-----END CERTIFICATE-----\n");
                }
            }
            return pem.toString();
        }

        public SslOptions build() {
            return new SslOptions(this);
        }
    }
}
