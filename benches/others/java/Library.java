import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;

/**
 * The client {@code library}: {@code java.net.http.HttpClient}, the JDK's own of today, with a blocking
 * {@code send}. {@code HttpURLConnection} would be on blocking sockets all the way down, and is what
 * {@code HttpClient} was made to replace.
 *
 * <p>It keeps every connection by itself. Its callbacks run on virtual threads, too: the pool that it
 * would make otherwise has a platform thread for each that is busy.
 */
final class Library implements Lane.Client {
    private final HttpClient client = HttpClient.newBuilder()
        .version(HttpClient.Version.HTTP_1_1)
        .executor(Lane::startVirtualThread)
        .build();

    @Override
    public Fetched fetch(String url) throws Lane.FetchException, InterruptedException {
        long started = System.nanoTime();
        try {
            HttpRequest request = HttpRequest.newBuilder(URI.create(url)).build();
            HttpResponse<byte[]> response = client.send(request, BodyHandlers.ofByteArray());
            if (response.statusCode() / 100 != 2) {
                throw new Lane.FetchException(url, "status " + response.statusCode());
            }
            return Fetched.parse(url, response.body(), 0, response.body().length, System.nanoTime() - started);
        } catch (IOException error) {
            throw new Lane.FetchException(url, error);
        }
    }
}
