package io.tendon.jedis;

/** What is told to the server with CLIENT SETINFO. */
public final class ClientSetInfoConfig {
    public static final ClientSetInfoConfig DEFAULT = new ClientSetInfoConfig();
    public static final ClientSetInfoConfig DISABLED = new ClientSetInfoConfig(true);

    private final boolean disabled;
    private final String suffix;

    public ClientSetInfoConfig() {
        this(false);
    }

    public ClientSetInfoConfig(boolean disabled) {
        this.disabled = disabled;
        this.suffix = null;
    }

    /** Of a library that is built on this one. */
    public ClientSetInfoConfig(String libNameSuffix) {
        this.disabled = false;
        this.suffix = libNameSuffix;
    }

    public static ClientSetInfoConfig withLibNameSuffix(String suffix) {
        return new ClientSetInfoConfig(suffix);
    }

    public boolean isDisabled() {
        return disabled;
    }

    /** Null when there is none. */
    public String getUpstreamDrivers() {
        return suffix;
    }

    /** As option lib_name wants it. */
    String libraryName() {
        if (disabled) {
            return "";
        }
        return suffix == null ? "tendon-java" : "tendon-java(" + suffix + ")";
    }
}
