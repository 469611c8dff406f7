package io.tendon.jedis.tests;

import io.tendon.jedis.HostAndPort;
import io.tendon.jedis.Jedis;
import io.tendon.jedis.exceptions.JedisConnectionException;
import java.io.Closeable;
import java.io.File;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A server that one test may do anything to. */
final class OwnServer implements Closeable {
    private final Process process;
    private final Path folder;
    private final int port;

    OwnServer(String... options) throws Exception {
        folder = Files.createTempDirectory("tendon-java");
        port = freePort();
        List<String> command = new ArrayList<>(List.of(program(), "--port", "" + port,
                "--bind", "127.0.0.1", "--save", "", "--dir", folder.toString()));
        command.addAll(List.of(options));
        process = new ProcessBuilder(command).redirectErrorStream(true)
                          .redirectOutput(new File("/dev/null")).start();
        Check.eventually("the server of its own answers", this::answers);
    }

    /** That of the shared servers. */
    private static String program() {
        return (String) ((List<?>) Servers.get("standalone").get("command")).get(0);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private boolean answers() {
        try (Jedis jedis = new Jedis(address())) {
            return "PONG".equals(jedis.ping());
        } catch (JedisConnectionException notYet) {
            return false;
        }
    }

    HostAndPort address() {
        return new HostAndPort("127.0.0.1", port);
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Undoes what a call may have left, and waits for what it began. */
    void rest(Jedis jedis, boolean isCluster) throws Exception {
        jedis.clientUnpause();
        if (!isCluster) {
            jedis.replicaofNoOne();
        }
        Check.eventually("saving has ended", () -> {
            String info = jedis.info("persistence");
            return info.contains("rdb_bgsave_in_progress:0")
                    && info.contains("aof_rewrite_in_progress:0")
                    && info.contains("aof_rewrite_scheduled:0");
        });
    }

    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor();
            try (var files = Files.walk(folder)) {
                files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
            }
        } catch (IOException | InterruptedException left) {
            folder.toFile().deleteOnExit();
        }
    }
}
