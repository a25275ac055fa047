//! The server that documents are fetched from: delay, size, CPU and faults per request.
