import java.util.ArrayList;
import java.util.List;

/** One document, fetched and parsed. Parsing is not part of its service time. */
final class Fetched {
    final int bytes;
    final long serviceNs;
    long id;
    String name;
    long weight;
    long height;
    long baseExperience;
    final List<String> types = new ArrayList<>(2);
    final List<Long> stats = new ArrayList<>(6);
    final List<String> moves = new ArrayList<>();

    private Fetched(int bytes, long serviceNs) {
        this.bytes = bytes;
        this.serviceNs = serviceNs;
    }

    /** Parses the body that came from {@code url}. */
    static Fetched parse(String url, byte[] text, int start, int length, long serviceNs) throws Lane.FetchException {
        Fetched fetched = new Fetched(length, serviceNs);
        try {
            Json json = new Json(text, start, length);
            json.object(name -> fetched.field(json, name));
            json.end();
        } catch (IllegalArgumentException | ArithmeticException error) {
            throw new Lane.FetchException(url, "the body is not a document: " + error.getMessage());
        }
        if (fetched.name == null) {
            throw new Lane.FetchException(url, "the body is not a document: it has no name");
        }
        return fetched;
    }

    private void field(Json json, String field) {
        switch (field) {
            case "id" -> id = json.integer();
            case "name" -> name = json.string();
            case "weight" -> weight = json.integer();
            case "height" -> height = json.integer();
            case "base_experience" -> baseExperience = json.isNull() ? 0 : json.integer();
            case "types" -> json.array(() -> name(json, "type", types));
            case "stats" -> json.array(() -> only(json, "base_stat", () -> stats.add(json.integer())));
            case "moves" -> json.array(() -> name(json, "move", moves));
            default -> json.skip();
        }
    }

    /** Reads an object whose field {@code of} is an object with a name. */
    private static void name(Json json, String of, List<String> names) {
        only(json, of, () -> only(json, "name", () -> names.add(json.string())));
    }

    /** Reads an object of which one field is of use. */
    private static void only(Json json, String wanted, Runnable read) {
        json.object(name -> {
            if (name.equals(wanted)) {
                read.run();
            } else {
                json.skip();
            }
        });
    }
}
