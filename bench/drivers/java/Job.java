package bench;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What every Java driver shares; bench/README.md describes the protocol. */
final class Job {
    static final int WARMING_UP = 0;
    static final int MEASURING = 1;
    static final int OVER = 2;
    /** A call that has not ended so long after the clock counts as failed. */
    private static final long END_MILLIS = 5000;

    final Map<String, String> words = new HashMap<>();
    final String mode;
    final String op;
    final int size;
    final int keys;
    final int concurrency;
    final int batch;
    final String values;
    final String[] names;
    final Trust trust;
    volatile int phase = WARMING_UP;
    volatile long began;

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
        trust = word("ca").isEmpty() ? null : new Trust(word("ca"));
    }

    /** Empty when it was not given. */
    String word(String name) {
        return words.getOrDefault(name, "");
    }

    boolean yes(String name) {
        return word(name).equals("yes");
    }

    int number(String name) {
        return Integer.parseInt(words.get(name));
    }

    String host() {
        return word("host");
    }

    int port() {
        return number("port");
    }

    String value(int key) {
        return values.substring(key, key + size);
    }

    private long millis(String name) {
        return Math.round(Double.parseDouble(words.get(name)) * 1000);
    }

    /** As the name of its jar tells. */
    static String versionOf(Class<?> library) {
        String jar = library.getProtectionDomain().getCodeSource().getLocation().getPath();
        Matcher matcher = Pattern.compile("-(\\d[\\w.]*(-rc\\d+)?)[^/]*\\.jar$").matcher(jar);
        return matcher.find() ? matcher.group(1) : "?";
    }

    private int workers() {
        return switch (mode) {
            case "blocking", "lease" -> concurrency;
            case "failover" -> yes("futures") ? 1 : concurrency;
            default -> 1;
        };
    }

    void run(Client.Maker maker, String name, String version) throws Exception {
        List<Tally> tallies = new ArrayList<>();
        List<Thread> workers = new ArrayList<>();
        Client client = maker.open(this);
        for (int index = 0; index < workers(); index++) {
            Tally tally = new Tally(this, maker, index * 37);
            tallies.add(tally);
            Thread worker = new Thread(() -> tally.work(client));
            worker.setDaemon(true);
            workers.add(worker);
        }
        workers.forEach(Thread::start);
        Thread.sleep(millis("warmup"));
        Usage before = Usage.now();
        System.out.println("begin");
        began = System.nanoTime();
        phase = MEASURING;
        Thread.sleep(millis("seconds"));
        // Before the threads end: what ended threads have allocated is not told.
        Usage used = Usage.now().since(before);
        phase = OVER;
        long ended = System.nanoTime();
        System.out.println("end");
        for (Thread worker : workers) {
            long left = END_MILLIS - (System.nanoTime() - ended) / 1_000_000;
            worker.join(Math.max(left, 1));
        }
        answer(tallies, (ended - began) / 1e9, used, name, version);
    }

    private void answer(List<Tally> tallies, double seconds, Usage used, String name,
            String version) throws Exception {
        long ops = 0;
        long errors = 0;
        String complaint = "";
        Latencies all = new Latencies();
        Troubles troubles = new Troubles();
        for (Tally tally : tallies) {
            tally.unanswered();
            ops += tally.ops;
            errors += tally.errors;
            if (complaint.isEmpty()) complaint = tally.complaint;
            all.add(tally.latencies);
            troubles.add(tally.troubles);
        }
        String extra = used.allocatedBytes() < 0 ? "" : "\"allocated_bytes\": "
                + used.allocatedBytes();
        if (mode.equals("failover")) extra += (extra.isEmpty() ? "" : ", ") + troubles.json();
        System.out.printf(
                "{\"client\": \"%s\", \"version\": \"%s\", \"mode\": \"%s\", \"ops\": %d, "
                        + "\"seconds\": %.6f, \"errors\": %d, \"complaint\": %s, "
                        + "\"p50_us\": %.2f, \"p99_us\": %.2f, \"p999_us\": %.2f, "
                        + "\"cpu_us\": %d, \"rss_kib\": %d, \"extra\": {%s}}%n",
                name, version, mode, ops, seconds, errors, quoted(complaint),
                all.micros(0.5), all.micros(0.99), all.micros(0.999), used.cpuMicros(),
                Usage.peakKib(), extra);
        System.out.flush();
        // Not exit: what clients do at the end is no part of the work.
        Runtime.getRuntime().halt(0);
    }

    /** As a string of JSON. */
    static String quoted(String text) {
        return '"' + text.replaceAll("[\\\\\"\\p{Cntrl}]", " ") + '"';
    }
}
