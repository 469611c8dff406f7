package bench;

import com.sun.management.OperatingSystemMXBean;
import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the process has used up to now. */
record Usage(long cpuMicros, long allocatedBytes) {
    /** Bytes allocated are those of the threads that live: Java 17 does not tell of others. */
    static Usage now() {
        var system = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long bytes = 0;
        for (long each : threads.getThreadAllocatedBytes(threads.getAllThreadIds()))
            bytes += Math.max(each, 0);
        return new Usage(system.getProcessCpuTime() / 1000, bytes);
    }

    Usage since(Usage before) {
        return new Usage(cpuMicros - before.cpuMicros, allocatedBytes - before.allocatedBytes);
    }

    static long peakKib() throws Exception {
        for (String line : Files.readAllLines(Path.of("/proc/self/status")))
            if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", ""));
        return 0;
    }
}
