package io.tendon.jedis.tests;

import io.tendon.jedis.DefaultJedisClientConfig;
import io.tendon.jedis.GenericObjectPoolConfig;
import io.tendon.jedis.HostAndPort;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.JedisPool;
import io.tendon.jedis.JedisPooled;
import io.tendon.jedis.SslOptions;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The servers of TENDON_SERVERS (docs/testing.md). */
final class Servers {
    private static final Map<String, Object> FILE = read();

    private Servers() {
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> read() {
        try {
            return (Map<String, Object>) Json.read(
                    Files.readString(Path.of(System.getenv("TENDON_SERVERS"))));
        } catch (IOException error) {
            throw new IllegalStateException(error);
        }
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> get(String name) {
        return (Map<String, Object>) FILE.get(name);
    }

    static String text(String server, String name) {
        return (String) get(server).get(name);
    }

    static String text(String name) {
        return (String) FILE.get(name);
    }

    static HostAndPort address(String server) {
        return address(get(server));
    }

    private static HostAndPort address(Map<String, Object> server) {
        return new HostAndPort((String) server.get("host"), ((Long) server.get("port")).intValue());
    }

    static int port(String server) {
        return address(server).getPort();
    }

    @SuppressWarnings("unchecked")
    static Set<HostAndPort> nodes(String cluster) {
        Set<HostAndPort> nodes = new LinkedHashSet<>();
        ((List<Map<String, Object>>) get(cluster).get("nodes"))
                .forEach(node -> nodes.add(address(node)));
        return nodes;
    }

    static SslOptions.Builder trust() {
        return SslOptions.builder().caFile(text("ca_file"));
    }

    static DefaultJedisClientConfig.Builder config() {
        return DefaultJedisClientConfig.builder();
    }

    /** For tests that are not about time-outs: a busy machine may need longer than two seconds. */
    static DefaultJedisClientConfig.Builder patient() {
        return config().timeoutMillis((int) Check.PATIENCE.toMillis());
    }

    static JedisPooled pooled() {
        return new JedisPooled(address("standalone"), patient().build());
    }

    static JedisPool pool(GenericObjectPoolConfig<Jedis> limits) {
        return new JedisPool(limits, address("standalone"), patient().build());
    }

    static JedisPool pool(int maxTotal) {
        GenericObjectPoolConfig<Jedis> limits = new GenericObjectPoolConfig<>();
        limits.setMaxTotal(maxTotal);
        return pool(limits);
    }

    static Jedis jedis() {
        return new Jedis(address("standalone"), patient().build());
    }

    /** Ends the expendable server with a signal and waits until it is gone. */
    static void kill(ProcessHandle server) throws Exception {
        server.destroyForcibly();
        Check.eventually("server ended", () -> !server.isAlive() || isZombie(server.pid()));
    }

    /** STOP freezes a server, CONT lets it go on. */
    static void signal(ProcessHandle process, String name) throws Exception {
        // A shell always has kill; a program of that name is in no base system.
        new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid()).start().waitFor();
    }

    private static boolean isZombie(long pid) {
        try {
            return Files.readString(Path.of("/proc/" + pid + "/stat")).contains(") Z ");
        } catch (IOException gone) {
            return true;
        }
    }

    /** Starts the expendable server again and waits until it answers. */
    @SuppressWarnings("unchecked")
    static ProcessHandle startExpendable() throws Exception {
        List<String> command =
                new ArrayList<>((List<String>) (List<?>) get("expendable").get("command"));
        Process started = new ProcessBuilder(command).redirectErrorStream(true)
                .redirectOutput(new File("/dev/null")).start();
        Check.eventually("expendable server answers", () -> {
            try (Jedis jedis = new Jedis(address("expendable"))) {
                return "PONG".equals(jedis.ping());
            } catch (RuntimeException notYet) {
                return false;
            }
        });
        return started.toHandle();
    }

    /** The expendable server as it runs now, by the pid that it tells. */
    static ProcessHandle expendable() throws Exception {
        try (Jedis jedis = new Jedis(address("expendable"))) {
            return handle(jedis);
        } catch (RuntimeException down) {
            return startExpendable();
        }
    }

    private static ProcessHandle handle(Jedis jedis) {
        String line = jedis.info("server")
                              .lines()
                              .filter(one -> one.startsWith("process_id:"))
                              .findFirst()
                              .orElseThrow();
        return ProcessHandle.of(Long.parseLong(line.substring(11).trim())).orElseThrow();
    }
}
