import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The client {@code raw}: one small HTTP/1.1 exchange over {@code java.net.Socket} and nothing above it,
 * which is what crates/exchange is to the lanes in Rust. It reads status 200 with a Content-Length, and
 * refuses the rest by name.
 */
final class Raw implements Lane.Client {
    private static final int FIRST_BUFFER_BYTES = 2 * 1024;
    private static final int HEAD_BYTES_MAX = 16 * 1024;
    private static final int BODY_BYTES_MAX = 1024 * 1024 * 1024;

    // A lock and not `synchronized`, in which a virtual thread of Java 21 keeps its carrier.
    private final ReentrantLock lock = new ReentrantLock();
    private final ArrayDeque<Connection> idle = new ArrayDeque<>();
    private final int idleMost;

    Raw(int idleMost) {
        this.idleMost = idleMost;
    }

    @Override
    public Fetched fetch(String url) throws Lane.FetchException {
        long started = System.nanoTime();
        try {
            URI uri = URI.create(url);
            Connection connection = takeOrOpen(uri);
            try {
                connection.exchange(uri);
            } catch (IOException error) {
                connection.socket.close();
                throw error;
            }
            long serviceNs = System.nanoTime() - started;
            Fetched fetched =
                Fetched.parse(url, connection.buffer, connection.headBytes, connection.bodyBytes, serviceNs);
            giveBack(connection);
            return fetched;
        } catch (IOException error) {
            throw new Lane.FetchException(url, error);
        }
    }

    private Connection takeOrOpen(URI uri) throws IOException {
        lock.lock();
        try {
            // The one that was used last: its buffers are the warmest.
            Connection connection = idle.pollLast();
            if (connection != null) {
                return connection;
            }
        } finally {
            lock.unlock();
        }
        return new Connection(uri);
    }

    private void giveBack(Connection connection) throws IOException {
        lock.lock();
        try {
            if (connection.keepAlive && idle.size() < idleMost) {
                idle.addLast(connection);
                return;
            }
        } finally {
            lock.unlock();
        }
        connection.socket.close();
    }

    private static final class Connection {
        final Socket socket;
        byte[] buffer = new byte[FIRST_BUFFER_BYTES];
        int filled;
        int headBytes;
        int bodyBytes;
        boolean keepAlive;

        Connection(URI uri) throws IOException {
            socket = new Socket(uri.getHost(), uri.getPort() < 0 ? 80 : uri.getPort());
            socket.setTcpNoDelay(true);
        }

        /** Asks for a path and reads the response, whose body then lies behind the head. */
        void exchange(URI uri) throws IOException {
            String query = uri.getRawQuery() == null ? "" : "?" + uri.getRawQuery();
            String request =
                "GET " + uri.getRawPath() + query + " HTTP/1.1\r\nHost: " + uri.getRawAuthority() + "\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            filled = 0;
            int searched = 0;
            for (headBytes = 0; headBytes == 0; headBytes = endOfHead(searched)) {
                if (filled > HEAD_BYTES_MAX) {
                    throw new IOException("the response's head has more than " + HEAD_BYTES_MAX + " bytes");
                }
                if (filled == buffer.length) {
                    buffer = Arrays.copyOf(buffer, 2 * filled);
                }
                searched = filled;
                read();
            }
            parseHead();
            int whole = headBytes + bodyBytes;
            if (buffer.length < whole) {
                buffer = Arrays.copyOf(buffer, whole);
            }
            while (filled < whole) {
                read();
            }
            // Bytes beyond the response belong to no request that was sent.
            keepAlive &= filled == whole;
        }

        private void read() throws IOException {
            int count = socket.getInputStream().read(buffer, filled, buffer.length - filled);
            if (count < 0) {
                throw new IOException("the connection closed after " + filled + " bytes of an unfinished response");
            }
            filled += count;
        }

        /** The length of the head, or 0 while its end is not there; what was searched may hold half of it. */
        private int endOfHead(int searched) {
            for (int end = Math.max(searched, 3); end < filled; end++) {
                if (buffer[end] == '\n' && buffer[end - 1] == '\r'
                    && buffer[end - 2] == '\n' && buffer[end - 3] == '\r') {
                    return end + 1;
                }
            }
            return 0;
        }

        private void parseHead() throws IOException {
            String[] lines = new String(buffer, 0, headBytes - 4, StandardCharsets.ISO_8859_1).split("\r\n");
            String[] status = lines[0].split(" ", 3);
            if (!status[0].startsWith("HTTP/1.") || status.length < 2) {
                throw new IOException("the response is not HTTP");
            }
            if (!status[1].equals("200")) {
                throw new IOException("status " + status[1]);
            }
            // HTTP/1.0 closes unless told otherwise, HTTP/1.1 does not (RFC 9112, section 9.3).
            keepAlive = status[0].equals("HTTP/1.1");
            bodyBytes = -1;
            for (int line = 1; line < lines.length; line++) {
                int colon = Math.max(lines[line].indexOf(':'), 0);
                parseField(lines[line].substring(0, colon), lines[line].substring(colon + 1).trim());
            }
            if (bodyBytes < 0) {
                throw new IOException("the response has no Content-Length, which the raw client needs");
            }
        }

        private void parseField(String name, String value) throws IOException {
            if (name.equalsIgnoreCase("content-length")) {
                long length = value.matches("[0-9]{1,10}") ? Long.parseLong(value) : -1;
                if (length < 0 || length > BODY_BYTES_MAX || bodyBytes >= 0 && bodyBytes != length) {
                    throw new IOException("the response's Content-Length is no length");
                }
                bodyBytes = (int) length;
            } else if (name.equalsIgnoreCase("transfer-encoding") || name.equalsIgnoreCase("content-encoding")) {
                throw new IOException("the body is chunked or compressed, which the raw client does not read");
            } else if (name.equalsIgnoreCase("connection")) {
                keepAlive &= !value.toLowerCase().contains("close");
            }
        }
    }
}
