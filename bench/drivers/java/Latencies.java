package bench;

/** Counts of nanoseconds, 64 steps to each power of two. */
final class Latencies {
    private final long[] counts = new long[40 * 64];

    void note(long ns) {
        int power = ns < 128 ? 0 : 57 - Long.numberOfLeadingZeros(ns);
        counts[power * 64 + (int) (ns >> power)]++;
    }

    void add(Latencies other) {
        for (int step = 0; step < counts.length; step++) counts[step] += other.counts[step];
    }

    double micros(double share) {
        long total = 0;
        long seen = 0;
        for (long count : counts) total += count;
        for (int step = 0; step < counts.length; step++) {
            seen += counts[step];
            int power = step < 128 ? 0 : step / 64 - 1;
            if (total > 0 && seen >= share * total)
                return ((long) (step - power * 64) << power) / 1000.0;
        }
        return 0;
    }
}
