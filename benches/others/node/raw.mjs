// The client `raw`: one small HTTP/1.1 exchange over node:net and nothing above it, which is what
// crates/exchange is to the lanes in Rust. It reads status 200 with a Content-Length, and refuses the
// rest by name.

import { connect } from "node:net";

import { Fetched, FetchError } from "./tally.mjs";

const HEAD_BYTES_MAX = 16 * 1024;
const BODY_BYTES_MAX = 1024 * 1024 * 1024;

/** A function that fetches one document, and keeps `idleMost` connections between requests. */
export function openRaw(idleMost) {
  const idle = [];
  return async (url) => {
    const started = process.hrtime.bigint();
    try {
      const { hostname, port, host, pathname, search } = new URL(url);
      // The one that was used last.
      const connection = idle.pop() ?? new Connection({ host: hostname, port: Number(port || 80), noDelay: true });
      const body = await connection.exchange(`GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
      const serviceNs = Number(process.hrtime.bigint() - started);
      if (connection.keepAlive && idle.length < idleMost) idle.push(connection);
      else connection.socket.destroy();
      return new Fetched(url, body.toString(), body.length, serviceNs);
    } catch (error) {
      throw error instanceof FetchError ? error : new FetchError(url, error.message);
    }
  };
}

class Connection {
  constructor(options) {
    this.socket = connect(options);
    this.socket.on("data", (chunk) => this.take(chunk));
    this.socket.on("error", (error) => this.end(error));
    this.socket.on("close", () => {
      this.end(new Error(`the connection closed after ${this.filled} bytes of an unfinished response`));
    });
  }

  /** Sends `request`, and resolves to the body of its response. */
  exchange(request) {
    this.chunks = [];
    this.filled = 0;
    this.head = null;
    return new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
      this.socket.write(request, "latin1");
    });
  }

  take(chunk) {
    this.chunks.push(chunk);
    this.filled += chunk.length;
    try {
      this.head ??= this.findHead();
    } catch (error) {
      this.socket.destroy();
      this.end(error);
      return;
    }
    if (!this.head || this.filled < this.head.whole) return;
    const { bytes, whole, keepAlive } = this.head;
    // Bytes beyond the response belong to no request that was sent.
    this.keepAlive = keepAlive && this.filled === whole;
    this.resolve(this.joined().subarray(bytes, whole));
  }

  /** A response that ended before it was whole. One that was whole has been resolved, and stays so. */
  end(error) {
    this.keepAlive = false;
    this.reject?.(error);
  }

  joined() {
    return this.chunks.length === 1 ? this.chunks[0] : Buffer.concat(this.chunks);
  }

  findHead() {
    const bytes = this.joined();
    this.chunks = [bytes];
    const end = bytes.indexOf("\r\n\r\n");
    if (end >= 0) return parseHead(bytes.latin1Slice(0, end), end + 4);
    if (this.filled > HEAD_BYTES_MAX) throw new Error(`the response's head has more than ${HEAD_BYTES_MAX} bytes`);
    return null;
  }
}

/** What a head says, its empty line left out; it takes `bytes` with it. */
function parseHead(text, bytes) {
  const [line, ...fields] = text.split("\r\n");
  const [, minor, status] = line.match(/^HTTP\/1\.([01]) (\d{3})/) ?? [];
  if (status === undefined) throw new Error("the response is not HTTP");
  if (status !== "200") throw new Error(`status ${status}`);
  // HTTP/1.0 closes unless told otherwise, HTTP/1.1 does not (RFC 9112, section 9.3).
  const head = { bytes, whole: 0, keepAlive: minor === "1" };
  let length = null;
  for (const field of fields) {
    const colon = field.indexOf(":");
    const value = field.slice(colon + 1).trim();
    switch (field.slice(0, colon).toLowerCase()) {
      case "content-length":
        if (!/^\d+$/.test(value) || value > BODY_BYTES_MAX || (length ?? value) !== value) {
          throw new Error("the response's Content-Length is no length");
        }
        length = value;
        break;
      case "transfer-encoding":
      case "content-encoding":
        throw new Error("the body is chunked or compressed, which the raw client does not read");
      case "connection":
        head.keepAlive &&= !value.toLowerCase().split(/\s*,\s*/).includes("close");
    }
  }
  if (length === null) throw new Error("the response has no Content-Length, which the raw client needs");
  return { ...head, whole: bytes + Number(length) };
}
