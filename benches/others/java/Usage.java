import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What the system knows of this process. Java has no {@code getrusage}, so all of it is read below
 * {@code /proc/self}: times are in steps of 10 ms there, which is little beside what compiling the
 * program while it runs takes.
 */
record Usage(long userUs, long systemUs, long voluntarySwitches, long involuntarySwitches, long minorFaults,
               long majorFaults) {
    /** A tick of /proc is one of 100 in a second, whatever the kernel's own is (proc(5), time(7)). */
    private static final long US_PER_TICK = 10_000;

    static Usage now() {
        // The name in parentheses may hold blanks. Behind it, fields count from 3 in proc_pid_stat(5).
        String stat = read(Path.of("/proc/self/stat"));
        String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ");
        long voluntary = 0;
        long involuntary = 0;
        // The file of the process tells of its first thread alone.
        for (Path thread : threads()) {
            try {
                List<String> status = Files.readAllLines(thread.resolve("status"));
                voluntary += number(status, "voluntary_ctxt_switches");
                involuntary += number(status, "nonvoluntary_ctxt_switches");
            } catch (IOException ended) {
                // It was there a moment ago.
            }
        }
        return new Usage(Long.parseLong(fields[11]) * US_PER_TICK, Long.parseLong(fields[12]) * US_PER_TICK,
            voluntary, involuntary, Long.parseLong(fields[7]), Long.parseLong(fields[9]));
    }

    /** What has been used since then. Threads that ended meanwhile took their switches with them. */
    Usage since(Usage before) {
        return new Usage(userUs - before.userUs, systemUs - before.systemUs,
            Math.max(0, voluntarySwitches - before.voluntarySwitches),
            Math.max(0, involuntarySwitches - before.involuntarySwitches),
            minorFaults - before.minorFaults, majorFaults - before.majorFaults);
    }

    /** Usage and the peaks of memory, as fields of the outcome. */
    String json() {
        List<String> status = read(Path.of("/proc/self/status")).lines().toList();
        return "\"usage\":{\"user_us\":" + userUs + ",\"system_us\":" + systemUs + ",\"voluntary_switches\":"
            + voluntarySwitches + ",\"involuntary_switches\":" + involuntarySwitches
            + ",\"minor_faults\":" + minorFaults + ",\"major_faults\":" + majorFaults
            + "},\"rss_bytes_peak\":" + number(status, "VmHWM") * 1024
            + ",\"address_space_bytes_peak\":" + number(status, "VmPeak") * 1024;
    }

    private static long number(List<String> status, String name) {
        String line = status.stream().filter(field -> field.startsWith(name + ":")).findFirst().orElse(name + ": 0");
        return Long.parseLong(line.substring(name.length() + 1).replace("kB", "").trim());
    }

    private static List<Path> threads() {
        try (var threads = Files.list(Path.of("/proc/self/task"))) {
            return threads.toList();
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }

    private static String read(Path path) {
        try {
            return Files.readString(path);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
