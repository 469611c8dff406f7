package bench;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;

/** What every Java driver shares; bench/README.md describes the protocol. */
final class Job {
    static final int WARMING_UP = 0;
    static final int MEASURING = 1;
    static final int OVER = 2;

    /** A client as the drivers need it. Values null means GET. */
    interface Client {
        String get(String key);

        String set(String key, String value);

        List<String> mget(String[] keys);

        List<String> pipeline(String[] keys, String[] values);

        default CompletionStage<String> getLater(String key) {
            throw new UnsupportedOperationException("futures");
        }

        default CompletionStage<String> setLater(String key, String value) {
            throw new UnsupportedOperationException("futures");
        }
    }

    final Map<String, String> words = new HashMap<>();
    final String mode;
    final String op;
    final int size;
    final int keys;
    final int concurrency;
    final int batch;
    final String values;
    final String[] names;
    volatile int phase = WARMING_UP;

    Job(String[] args) throws Exception {
        for (String word : args) {
            int at = word.indexOf('=');
            words.put(word.substring(0, at), word.substring(at + 1));
        }
        mode = words.get("mode");
        op = words.get("op");
        size = number("value_bytes");
        keys = number("keys");
        concurrency = number("concurrency");
        batch = number("batch");
        values = Files.readString(Path.of(words.get("values")), StandardCharsets.ISO_8859_1);
        names = new String[keys];
        for (int key = 0; key < keys; key++) names[key] = String.format("key:%012d", key);
    }

    int number(String name) {
        return Integer.parseInt(words.get(name));
    }

    String value(int key) {
        return values.substring(key, key + size);
    }

    /** User and system time of the process in microseconds. */
    private static long cpuMicros() {
        var bean = (com.sun.management.OperatingSystemMXBean)
                java.lang.management.ManagementFactory.getOperatingSystemMXBean();
        return bean.getProcessCpuTime() / 1000;
    }

    private static long peakKib() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status")))
            if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", ""));
        return 0;
    }

    private long millis(String name) {
        return Math.round(Double.parseDouble(words.get(name)) * 1000);
    }

    void run(Client client, String name, String version) throws Exception {
        int threads = mode.equals("blocking") ? concurrency : 1;
        List<Tally> tallies = new ArrayList<>();
        List<Thread> workers = new ArrayList<>();
        for (int index = 0; index < threads; index++) {
            Tally tally = new Tally(this, index * 37);
            tallies.add(tally);
            workers.add(new Thread(() -> tally.work(client)));
        }
        workers.forEach(Thread::start);
        Thread.sleep(millis("warmup"));
        System.out.println("begin");
        long began = System.nanoTime();
        long cpu = cpuMicros();
        phase = MEASURING;
        Thread.sleep(millis("seconds"));
        phase = OVER;
        long took = System.nanoTime() - began;
        cpu = cpuMicros() - cpu;
        System.out.println("end");
        for (Thread worker : workers) worker.join();
        answer(tallies, took, cpu, name, version);
    }

    private void answer(List<Tally> tallies, long took, long cpu, String name, String version)
            throws Exception {
        long ops = 0;
        long errors = 0;
        String complaint = "";
        Latencies all = new Latencies();
        for (Tally tally : tallies) {
            ops += tally.ops;
            errors += tally.errors;
            if (complaint.isEmpty()) complaint = tally.complaint;
            all.add(tally.latencies);
        }
        System.out.printf(
                "{\"client\": \"%s\", \"version\": \"%s\", \"mode\": \"%s\", \"ops\": %d, "
                        + "\"seconds\": %.6f, \"errors\": %d, \"complaint\": \"%s\", "
                        + "\"p50_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f, "
                        + "\"cpu_us\": %d, \"rss_kib\": %d, \"extra\": {}}%n",
                name, version, mode, ops, took / 1e9, errors, complaint.replace('"', '\''),
                all.micros(0.5), all.micros(0.99), all.micros(0.999), cpu, peakKib());
        System.out.flush();
        System.exit(0);
    }
}
