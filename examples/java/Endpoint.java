import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where the examples connect to: REDIS_HOST, REDIS_PORT and REDIS_CA, or a server of
 * TENDON_SERVERS.
 */
record Endpoint(String host, int port, String caFile) {
    /** {@code name} is a name of servers.json, such as "standalone", "tls" or "cluster". */
    static Endpoint of(String name) {
        String host = setting("REDIS_HOST");
        if (host != null) {
            String port = setting("REDIS_PORT");
            return new Endpoint(
                    host, port == null ? 6379 : Integer.parseInt(port), setting("REDIS_CA"));
        }
        String servers = servers();
        int at = servers.indexOf("\"" + name + "\": {");
        if (at < 0) {
            throw new IllegalStateException("TENDON_SERVERS describes no server \"" + name + "\"");
        }
        String first = servers.substring(
                at); /* its first host and port are the server's, or its first node's */
        return new Endpoint(find(first, "\"host\": \"([^\"]+)\""),
                Integer.parseInt(find(first, "\"port\": ([0-9]+)")),
                name.startsWith("tls") ? find(servers, "\"ca_file\": \"([^\"]+)\"") : null);
    }

    private static String setting(String name) {
        return System.getProperty(
                name, System.getenv(name)); /* a property, so that Degrade can set it */
    }

    private static String servers() {
        String path = System.getenv("TENDON_SERVERS");
        if (path == null) {
            throw new IllegalStateException(
                    "set REDIS_HOST and REDIS_PORT, or TENDON_SERVERS (eval \"$(./dev env)\")");
        }
        try {
            return Files.readString(Path.of(path));
        } catch (IOException error) {
            throw new IllegalStateException("TENDON_SERVERS: " + error, error);
        }
    }

    private static String find(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        if (!matcher.find()) {
            throw new IllegalStateException("TENDON_SERVERS has no " + pattern);
        }
        return matcher.group(1);
    }

    /** Ends the program unless an answer is right. */
    static void check(boolean right, String what) {
        if (!right) {
            throw new IllegalStateException("wrong: " + what);
        }
    }
}
