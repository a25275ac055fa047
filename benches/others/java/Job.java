import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What is read on standard input. */
record Job(String origin, String path, List<Long> ids, long documents, long concurrency, String client, int top,
           Arrivals arrivals) {
    private static final long PROTOCOL = 1;

    static Job parse(byte[] text) {
        Map<String, Long> numbers = new HashMap<>();
        Map<String, String> strings = new HashMap<>();
        List<Long> ids = new ArrayList<>();
        Arrivals[] arrivals = {null};
        Json json = new Json(text, 0, text.length);
        json.object(name -> {
            switch (name) {
                case "protocol", "documents", "concurrency", "top" -> numbers.put(name, json.integer());
                case "origin", "path", "client" -> strings.put(name, json.string());
                case "ids" -> json.array(() -> ids.add(json.integer()));
                case "arrivals" -> arrivals[0] = Arrivals.parse(json);
                default -> json.skip();
            }
        });
        long protocol = numbers.getOrDefault("protocol", 0L);
        if (protocol != PROTOCOL) {
            throw new IllegalArgumentException(
                "protocol " + protocol + ", but this program speaks protocol " + PROTOCOL);
        }
        if (numbers.size() < 4 || strings.size() < 3 || ids.isEmpty() || numbers.get("concurrency") == 0
            || !strings.get("path").contains("{id}")) {
            throw new IllegalArgumentException("not a job of the lane protocol");
        }
        return new Job(strings.get("origin"), strings.get("path"), ids, numbers.get("documents"),
            numbers.get("concurrency"), strings.get("client"), Math.toIntExact(numbers.get("top")), arrivals[0]);
    }

    /** The URL of document number {@code index}, counted from 0. */
    String url(long index) {
        return origin + path.replace("{id}", ids.get((int) (index % ids.size())).toString());
    }

    /** How many connections documents that are yet to be asked for can use again. */
    int idleConnections() {
        long yetToCome = documents - (arrivals == null ? concurrency : 1);
        return (int) Math.min(concurrency, Math.max(0, yetToCome));
    }

    /** Documents that are due at a rate. */
    record Arrivals(String process, long rate, long seed) {
        static Arrivals parse(Json json) {
            if (json.isNull()) {
                return null;
            }
            String[] process = {""};
            Map<String, Long> numbers = new HashMap<>();
            json.object(name -> {
                switch (name) {
                    case "process" -> process[0] = json.string();
                    // A seed has 64 bits without a sign.
                    case "rate", "seed" -> numbers.put(name, json.unsigned());
                    default -> json.skip();
                }
            });
            return new Arrivals(process[0], numbers.get("rate"), numbers.get("seed"));
        }

        /** When each of so many documents is due, in nanoseconds from the start of the job. */
        long[] schedule(long documents) {
            long[] due = new long[Math.toIntExact(documents)];
            long state = seed;
            double nanoseconds = 0;
            for (int index = 1; index < due.length; index++) {
                if (process.equals("uniform")) {
                    due[index] = Math.multiplyExact(index, 1_000_000_000L) / rate;
                    continue;
                }
                state += 0x9e3779b97f4a7c15L;
                double part = ((splitMix64(state) >>> 11) + 1) * 0x1p-53;
                nanoseconds += -Math.log(part) / rate * 1e9;
                due[index] = (long) nanoseconds;
            }
            return due;
        }

        /** The number that SplitMix64 makes of a state. */
        private static long splitMix64(long state) {
            long mixed = (state ^ state >>> 30) * 0xbf58476d1ce4e5b9L;
            mixed = (mixed ^ mixed >>> 27) * 0x94d049bb133111ebL;
            return mixed ^ mixed >>> 31;
        }
    }
}
