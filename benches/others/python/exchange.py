"""One HTTP/1.1 GET without I/O, which every raw client in Python shares, as crates/exchange is shared by
those in Rust: status 200 with a Content-Length is read, and the rest is refused by name.

    address, request = exchange.get("http://127.0.0.1:8080/a")
    send `request`, and then feed what arrives to a `Response` until it says that it is whole
"""

# A head larger than this is not from a server that this client is meant for.
HEAD_BYTES_MAX = 16 * 1024


class ExchangeError(Exception):
    """The response is not one that this client reads."""


def get(url):
    """Where to connect to, and what to send."""
    scheme, _, rest = url.partition("://")
    authority, _, path = rest.partition("/")
    host, _, port = authority.partition(":")
    if scheme != "http" or not host:
        raise ExchangeError("not an http:// URL with a host")
    return (host, int(port or 80)), f"GET /{path} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode()


class Response:
    """A response as it arrives. `keep_alive` is whether its connection may carry another request."""

    __slots__ = ("received", "head_bytes", "whole_bytes", "keep_alive")

    def __init__(self):
        self.received = bytearray()
        self.head_bytes = None

    def feed(self, data):
        """Takes what arrived, and says whether the response is whole. Nothing is what a socket
        returns when its peer has closed."""
        if not data:
            raise ExchangeError(f"the connection closed after {len(self.received)} bytes")
        self.received += data
        if self.head_bytes is None and not self.read_head():
            return False
        # Bytes beyond the response belong to no request that was sent.
        self.keep_alive = self.keep_alive and len(self.received) <= self.whole_bytes
        return len(self.received) >= self.whole_bytes

    @property
    def body(self):
        return self.received[self.head_bytes:self.whole_bytes]

    def read_head(self):
        """Reads the head, once all of it is here."""
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            if len(self.received) > HEAD_BYTES_MAX:
                raise ExchangeError(f"the response's head has more than {HEAD_BYTES_MAX} bytes")
            return False
        status, *lines = self.received[:end].decode("latin-1").split("\r\n")
        version, _, code = status.partition(" ")
        if not version.startswith("HTTP/1."):
            raise ExchangeError("the response is not HTTP/1")
        if code[:3] != "200":
            raise ExchangeError(f"status {code[:3]}")
        length, says_close = None, False
        for line in lines:
            name, _, value = line.partition(":")
            name, value = name.lower(), value.strip()
            if name == "content-length":
                if length not in (None, value) or not (value.isascii() and value.isdigit()):
                    raise ExchangeError("the response's Content-Length is no length")
                length = value
            elif name == "connection":
                says_close = "close" in value.lower()
            elif name in ("transfer-encoding", "content-encoding"):
                raise ExchangeError("the body is chunked or compressed")
        if length is None:
            raise ExchangeError("the response has no Content-Length")
        self.head_bytes = end + 4
        self.whole_bytes = self.head_bytes + int(length)
        # HTTP/1.0 closes unless told otherwise, HTTP/1.1 does not (RFC 9112, section 9.3).
        self.keep_alive = version == "HTTP/1.1" and not says_close
        return True
