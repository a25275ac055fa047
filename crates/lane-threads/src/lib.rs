//! Lanes on OS threads: sequential, a fixed pool, a thread a request.
