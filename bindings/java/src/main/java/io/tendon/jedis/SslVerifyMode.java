package io.tendon.jedis;

/** What of the server's certificate is verified. */
public enum SslVerifyMode {
    /** Trust and host name. */
    FULL,
    /** Trust only: a trusted certificate of another host is accepted. */
    CA,
    /** INSECURE: nothing; anybody can pretend to be the server. */
    INSECURE
}
