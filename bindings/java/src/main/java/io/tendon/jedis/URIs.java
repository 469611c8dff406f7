package io.tendon.jedis;

/**
 * URLs, which the native core reads; a text without "://" is a host name where Jedis allows that.
 */
final class URIs {
    private URIs() {
    }

    /** The options that a URL adds to. */
    static CoreOptions options() {
        return options(Protocol.DEFAULT_HOST, DefaultJedisClientConfig.builder().build());
    }

    /** One of server and urlOrHost is null. */
    static CoreOptions optionsOf(HostAndPort server, String urlOrHost, JedisClientConfig config) {
        if (server != null) {
            return CoreOptions.standalone(server, config);
        }
        return options(isUrl(urlOrHost) ? Protocol.DEFAULT_HOST : urlOrHost, config);
    }

    static String urlOf(String urlOrHost) {
        return urlOrHost != null && isUrl(urlOrHost) ? urlOrHost : null;
    }

    private static CoreOptions options(String host, JedisClientConfig config) {
        return CoreOptions.standalone(new HostAndPort(host, Protocol.DEFAULT_PORT), config);
    }

    private static boolean isUrl(String text) {
        return text.indexOf(':') >= 0 || text.indexOf('/') >= 0;
    }
}
