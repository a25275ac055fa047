import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Consumer;

/**
 * A reader of JSON (RFC 8259), since the JDK has none: whoever calls says what comes next and takes or
 * skips it, so that nothing is made of what is not needed.
 *
 * <pre>
 *   json.object(name -> {
 *       switch (name) {
 *           case "id" -> id = json.integer();
 *           default -> json.skip();
 *       }
 *   });
 * </pre>
 */
final class Json {
    private final byte[] text;
    private final int start;
    private final int end;
    private int at;

    Json(byte[] text, int start, int length) {
        this.text = text;
        this.start = start;
        at = start;
        end = start + length;
    }

    /** Reads an object; {@code field} is called with each name and reads its value. */
    void object(Consumer<String> field) {
        expect('{');
        if (take('}')) {
            return;
        }
        do {
            String name = string();
            expect(':');
            field.accept(name);
        } while (take(','));
        expect('}');
    }

    /** Reads an array; {@code element} is called for each element and reads it. */
    void array(Runnable element) {
        expect('[');
        if (take(']')) {
            return;
        }
        do {
            element.run();
        } while (take(','));
        expect(']');
    }

    String string() {
        expect('"');
        int start = at;
        while (byteAt(at) != '"' && text[at] != '\\') {
            // In UTF-8 no byte of a longer character is below 0x80, or looks like a quote.
            if (text[at] >= 0 && text[at] < ' ') {
                throw wrong("a control character in a string");
            }
            at++;
        }
        String plain = new String(text, start, at - start, StandardCharsets.UTF_8);
        if (text[at] == '"') {
            at++;
            return plain;
        }
        return escaped(new StringBuilder(plain));
    }

    /** The rest of a string from its first backslash on. */
    private String escaped(StringBuilder string) {
        while (byteAt(at) == '\\') {
            char escape = (char) byteAt(at + 1);
            at += 2;
            int place = "\"\\/bfnrt".indexOf(escape);
            if (place >= 0) {
                string.append("\"\\/\b\f\n\r\t".charAt(place));
            } else if (escape == 'u' && at + 4 <= end) {
                string.append((char) Integer.parseInt(new String(text, at, 4, StandardCharsets.ISO_8859_1), 16));
                at += 4;
            } else {
                throw wrong("an unknown escape");
            }
            int start = at;
            while (byteAt(at) != '"' && text[at] != '\\') {
                at++;
            }
            string.append(new String(text, start, at - start, StandardCharsets.UTF_8));
        }
        at++;
        return string.toString();
    }

    /** Reads a whole number. */
    long integer() {
        boolean negative = take('-');
        int start = at;
        long value = 0;
        for (; at < end && text[at] >= '0' && text[at] <= '9'; at++) {
            // Below zero there is one number more than above.
            value = Math.subtractExact(Math.multiplyExact(value, 10), text[at] - '0');
        }
        if (at == start || at < end && (text[at] == '.' || text[at] == 'e' || text[at] == 'E')) {
            throw wrong("no whole number");
        }
        return negative ? value : Math.negateExact(value);
    }

    /** Reads a whole number of 64 bits without a sign. */
    long unsigned() {
        peek();
        int start = at;
        while (at < end && text[at] >= '0' && text[at] <= '9') {
            at++;
        }
        return Long.parseUnsignedLong(new String(text, start, at - start, StandardCharsets.ISO_8859_1));
    }

    /** Reads {@code null}, if that is what comes. */
    boolean isNull() {
        return literal("null");
    }

    /** Reads any value and forgets it. */
    void skip() {
        switch (peek()) {
            case '{' -> object(name -> skip());
            case '[' -> array(this::skip);
            case '"' -> skipString();
            default -> {
                if (!literal("null") && !literal("true") && !literal("false")) {
                    skipNumber();
                }
            }
        }
    }

    private void skipString() {
        at++;
        while (byteAt(at) != '"') {
            at += text[at] == '\\' ? 2 : 1;
        }
        at++;
    }

    private void skipNumber() {
        int start = at;
        while (at < end && "+-.0123456789eE".indexOf(text[at]) >= 0) {
            at++;
        }
        Double.parseDouble(new String(text, start, at - start, StandardCharsets.ISO_8859_1));
    }

    /** Throws unless nothing is left. */
    void end() {
        blanks();
        if (at < end) {
            throw wrong("something behind the end");
        }
    }

    private boolean literal(String literal) {
        blanks();
        int length = literal.length();
        boolean found = at + length <= end
            && Arrays.equals(text, at, at + length, literal.getBytes(StandardCharsets.ISO_8859_1), 0, length);
        at += found ? length : 0;
        return found;
    }

    private void expect(char wanted) {
        if (!take(wanted)) {
            throw wrong("no " + wanted);
        }
    }

    private boolean take(char wanted) {
        boolean found = peek() == wanted;
        at += found ? 1 : 0;
        return found;
    }

    private byte peek() {
        blanks();
        return byteAt(at);
    }

    private byte byteAt(int place) {
        if (place >= end) {
            at = end;
            throw wrong("the end");
        }
        return text[place];
    }

    private void blanks() {
        while (at < end && (text[at] == ' ' || text[at] == '\n' || text[at] == '\r' || text[at] == '\t')) {
            at++;
        }
    }

    private IllegalArgumentException wrong(String what) {
        return new IllegalArgumentException("not the JSON that was expected: " + what + " at byte " + (at - start));
    }

    /** A string as it stands in JSON, quotes included. */
    static String quoted(String string) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : string.toCharArray()) {
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ') {
                quoted.append(String.format("\\u%04x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
