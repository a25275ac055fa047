//! One HTTP/1.1 GET exchange without I/O: what to send, and when the response is whole.
