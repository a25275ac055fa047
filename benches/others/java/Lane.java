import java.io.IOException;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * One job of the lane protocol (crates/job/PROTOCOL.md) on virtual threads: blocking code, whose threads
 * the Java runtime suspends.
 *
 * <p>{@link Library} and {@link Raw} fetch one document, this class all of them, {@link Tally} folds
 * them, and {@link Json} reads what the JDK has no reader for.
 */
final class Lane {
    /** What fetches one document. Many threads share one. */
    interface Client {
        Fetched fetch(String url) throws FetchException, InterruptedException;
    }

    /** A request failed, and the job with it. */
    static final class FetchException extends Exception {
        final String url;

        FetchException(String url, String why) {
            super(why);
            this.url = url;
        }

        FetchException(String url, IOException error) {
            // Those of the library may have no message, and their name says it all.
            this(url, error.getClass() == IOException.class ? error.getMessage() : error.toString());
        }
    }

    private final Job job;
    private final Client client;
    private final Tally tally;
    private final long startNs;

    private Lane(Job job, long startNs) {
        this.job = job;
        this.startNs = startNs;
        client = job.client().equals("raw") ? new Raw(job.idleConnections()) : new Library();
        tally = new Tally(job);
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Job job;
        try {
            job = Job.parse(System.in.readAllBytes());
        } catch (IllegalArgumentException error) {
            System.err.println("lane: " + error.getMessage());
            System.exit(1);
            return;
        }
        Usage before = Usage.now();
        long readyUnixUs = ChronoUnit.MICROS.between(Instant.EPOCH, Instant.now());
        long startNs = System.nanoTime();
        Lane lane = new Lane(job, startNs);
        lane.fetchAndAggregate();
        long wallNs = System.nanoTime() - startNs;
        String outcome = lane.tally.failure() == null
            ? lane.tally.completed(readyUnixUs, wallNs, Usage.now().since(before))
            : lane.tally.failed();
        System.out.write(outcome.getBytes(StandardCharsets.UTF_8));
        System.out.flush();
        // The client's own threads are not waited for.
        System.exit(0);
    }

    /** Fetches every document of the job with at most its concurrency in flight, and folds them. */
    private void fetchAndAggregate() throws InterruptedException {
        if (job.arrivals() == null) {
            closedLoop();
        } else {
            openLoop();
        }
    }

    /** A virtual thread for each request that may be in flight takes document after document. */
    private void closedLoop() throws InterruptedException {
        int workers = (int) Math.min(job.concurrency(), job.documents());
        AtomicLong taken = new AtomicLong();
        CountDownLatch running = new CountDownLatch(workers);
        for (int worker = 0; worker < workers; worker++) {
            startVirtualThread(() -> {
                for (long index; (index = taken.getAndIncrement()) < job.documents() && tally.failure() == null; ) {
                    fetchAndAdd(index, -1);
                }
                running.countDown();
            });
        }
        running.await();
    }

    /**
     * A virtual thread for each document, from when it is due, or from when fewer than the job's
     * concurrency are in flight.
     */
    private void openLoop() throws InterruptedException {
        Semaphore inFlight = new Semaphore((int) Math.min(job.concurrency(), job.documents()));
        CountDownLatch running = new CountDownLatch((int) job.documents());
        long[] due = job.arrivals().schedule(job.documents() + 1);
        for (int index = 0; index < job.documents(); index++) {
            for (long early; (early = due[index] - (System.nanoTime() - startNs)) > 0; ) {
                LockSupport.parkNanos(early);
            }
            inFlight.acquire();
            int document = index;
            startVirtualThread(() -> {
                fetchAndAdd(document, due[document]);
                inFlight.release();
                running.countDown();
            });
        }
        running.await();
    }

    private void fetchAndAdd(long index, long dueNs) {
        long sentNs = System.nanoTime() - startNs;
        try {
            tally.add(client.fetch(job.url(index)), dueNs, sentNs);
        } catch (FetchException error) {
            tally.fail(error);
        } catch (InterruptedException | RuntimeException | Error error) {
            tally.fail(new FetchException(job.url(index), error.toString()));
        }
    }

    /**
     * {@code Thread.startVirtualThread} of Java 21, looked up so that a compiler of Java 17, which
     * Debian has, will do: a runtime of 21 or later is on PyPI, and a compiler is not.
     */
    static void startVirtualThread(Runnable task) {
        try {
            START_VIRTUAL_THREAD.invoke(task);
        } catch (Throwable error) {
            throw new IllegalStateException(error);
        }
    }

    private static final MethodHandle START_VIRTUAL_THREAD;

    static {
        try {
            START_VIRTUAL_THREAD = MethodHandles.publicLookup().findStatic(
                Thread.class, "startVirtualThread", MethodType.methodType(Thread.class, Runnable.class));
        } catch (ReflectiveOperationException error) {
            throw new ExceptionInInitializerError("virtual threads need Java 21 or later");
        }
    }
}
