import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Collectors;

/** The answer so far, with the times of every document in it. Threads share one. */
final class Tally {
    private record Heavy(long weight, long id, String name) {
        /** Heaviest first, then the lower id. */
        static final Comparator<Heavy> RANK =
            Comparator.comparingLong(Heavy::weight).reversed().thenComparingLong(Heavy::id);
    }

    // A lock and not `synchronized`, in which a virtual thread of Java 21 keeps its carrier.
    private final ReentrantLock lock = new ReentrantLock();
    private final Job job;
    private volatile Lane.FetchException failure;

    private long bytes;
    private final Sum weights = new Sum();
    private final Sum heights = new Sum();
    private final Sum baseExperiences = new Sum();
    private final Sum stats = new Sum();
    private long moves;
    private final Map<String, Long> types = new TreeMap<>();
    private final List<Heavy> heaviest = new ArrayList<>();
    private long namesChecksum;

    private final long[] serviceTimesNs;
    private final long[] latenciesNs;
    private final long[] sentNs;
    private int documents;

    Tally(Job job) {
        this.job = job;
        int documents = Math.toIntExact(job.documents());
        serviceTimesNs = new long[documents];
        latenciesNs = new long[job.arrivals() == null ? 0 : documents];
        sentNs = new long[latenciesNs.length];
    }

    /** Folds one document in that was sent then; what is due at -1 is due at once. */
    void add(Fetched fetched, long dueNs, long sentNs) {
        long hash = fnv1a(fetched.name);
        lock.lock();
        try {
            bytes += fetched.bytes;
            weights.add(fetched.weight);
            heights.add(fetched.height);
            baseExperiences.add(fetched.baseExperience);
            for (long stat : fetched.stats) {
                stats.add(stat);
            }
            moves += fetched.moves.size();
            for (String type : fetched.types) {
                types.merge(type, 1L, Long::sum);
            }
            keepHeavy(new Heavy(fetched.weight, fetched.id, fetched.name));
            namesChecksum += hash;
            serviceTimesNs[documents] = fetched.serviceNs;
            if (dueNs >= 0) {
                latenciesNs[documents] = sentNs - dueNs + fetched.serviceNs;
                this.sentNs[documents] = sentNs;
            }
            documents++;
        } finally {
            lock.unlock();
        }
    }

    /** Keeps a document if it belongs to the top, once however often it was fetched. */
    private void keepHeavy(Heavy heavy) {
        int place = Collections.binarySearch(heaviest, heavy, Heavy.RANK);
        if (place >= 0 || -place - 1 >= job.top()) {
            return;
        }
        heaviest.add(-place - 1, heavy);
        if (heaviest.size() > job.top()) {
            heaviest.remove(job.top());
        }
    }

    /** Takes note that a request failed. The first one is told. */
    void fail(Lane.FetchException error) {
        lock.lock();
        try {
            failure = failure == null ? error : failure;
        } finally {
            lock.unlock();
        }
    }

    Lane.FetchException failure() {
        return failure;
    }

    String failed() {
        return "{\"protocol\":1,\"failed\":{\"url\":" + Json.quoted(failure.url)
            + ",\"why\":" + Json.quoted(failure.getMessage()) + "}}";
    }

    String completed(long readyUnixUs, long wallNs, Usage used) {
        String open = "";
        if (job.arrivals() != null) {
            long endNs = job.arrivals().schedule(job.documents() + 1)[documents];
            long sentInTime = Arrays.stream(sentNs).filter(sent -> sent < endNs).count();
            open = ",\"latencies_ns\":" + pairs(latenciesNs) + ",\"sent_in_time\":" + sentInTime;
        }
        return "{\"protocol\":1,\"completed\":{\"answer\":" + answer() + ",\"ready_unix_us\":" + readyUnixUs
            + ",\"wall_ns\":" + wallNs + ",\"service_times_ns\":" + pairs(serviceTimesNs) + open
            + "," + used.json() + "}}";
    }

    private String answer() {
        String types = this.types.entrySet().stream()
            .map(entry -> Json.quoted(entry.getKey()) + ":" + entry.getValue())
            .collect(Collectors.joining(",", "{", "}"));
        String heaviest = this.heaviest.stream()
            .map(heavy -> "{\"weight\":" + heavy.weight + ",\"id\":" + heavy.id
                + ",\"name\":" + Json.quoted(heavy.name) + "}")
            .collect(Collectors.joining(",", "[", "]"));
        return "{\"documents\":" + documents + ",\"bytes\":" + bytes + ",\"weight_sum\":\"" + weights
            + "\",\"height_sum\":\"" + heights + "\",\"base_experience_sum\":\"" + baseExperiences
            + "\",\"stat_sum\":\"" + stats + "\",\"moves\":" + moves + ",\"types\":" + types + ",\"top\":" + job.top()
            + ",\"heaviest\":" + heaviest + ",\"names_checksum\":\"" + String.format("%016x", namesChecksum) + "\"}";
    }

    private static String pairs(long[] times) {
        return Arrays.stream(times).mapToObj(time -> "[" + time + ",1]").collect(Collectors.joining(",", "[", "]"));
    }

    /** The 64-bit FNV-1a hash of a name. */
    private static long fnv1a(String name) {
        long hash = 0xcbf29ce484222325L;
        for (byte b : name.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
        }
        return hash;
    }

    /** An exact sum: what fits a word is added there, and a sum that would leave it goes to the rest. */
    private static final class Sum {
        private long word;
        private BigInteger rest = BigInteger.ZERO;

        void add(long value) {
            long sum = word + value;
            if (((word ^ sum) & (value ^ sum)) < 0) {
                rest = rest.add(BigInteger.valueOf(word));
                sum = value;
            }
            word = sum;
        }

        @Override
        public String toString() {
            return rest.add(BigInteger.valueOf(word)).toString();
        }
    }
}
