package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	firstBufferBytes = 2 << 10  // room for the head and a small body
	headBytesMax     = 16 << 10 // a larger one is not from a server that this is meant for
	bodyBytesMax     = 1 << 30  // a larger one is taken for a mistake
)

// raw is one small HTTP/1.1 exchange over net.Conn and nothing above it: what crates/exchange is to
// the other lanes. It reads status 200 with a Content-Length, and refuses the rest by name.
type raw struct {
	dialer   net.Dialer
	mutex    sync.Mutex
	idle     []*connection
	idleMost int
}

func newRaw(idleMost int) client {
	return &raw{dialer: net.Dialer{KeepAlive: -1}, idleMost: idleMost}
}

// connection keeps its buffers from one exchange to the next.
type connection struct {
	socket  net.Conn
	request []byte
	buffer  []byte
}

func (raw *raw) fetch(address string) (Fetched, error) {
	started := time.Now()
	authority, path, err := split(address)
	if err != nil {
		return Fetched{}, &fetchError{address, err}
	}
	connection, err := raw.takeOrOpen(authority)
	if err != nil {
		return Fetched{}, &fetchError{address, err}
	}
	body, keepAlive, err := connection.exchange(authority, path)
	if err != nil {
		connection.socket.Close()
		return Fetched{}, &fetchError{address, err}
	}
	fetched, err := parse(address, body, time.Since(started))
	raw.giveBack(connection, keepAlive)
	return fetched, err
}

// split parts an http:// URL into host and port, and path and query.
func split(address string) (authority, path string, err error) {
	rest, isHTTP := strings.CutPrefix(address, "http://")
	slash := strings.IndexByte(rest, '/')
	if !isHTTP || slash <= 0 {
		return "", "", errors.New("not an http:// URL with a host and a path")
	}
	return rest[:slash], rest[slash:], nil
}

func (raw *raw) takeOrOpen(authority string) (*connection, error) {
	raw.mutex.Lock()
	// The one that was used last: its buffers are the warmest.
	if last := len(raw.idle) - 1; last >= 0 {
		connection := raw.idle[last]
		raw.idle = raw.idle[:last]
		raw.mutex.Unlock()
		return connection, nil
	}
	raw.mutex.Unlock()
	target := authority
	if parsed := (url.URL{Host: authority}); parsed.Port() == "" {
		target = net.JoinHostPort(parsed.Hostname(), "80")
	}
	socket, err := raw.dialer.Dial("tcp", target)
	if err != nil {
		return nil, err
	}
	return &connection{socket: socket, buffer: make([]byte, firstBufferBytes)}, nil
}

func (raw *raw) giveBack(connection *connection, keepAlive bool) {
	raw.mutex.Lock()
	keep := keepAlive && len(raw.idle) < raw.idleMost
	if keep {
		raw.idle = append(raw.idle, connection)
	}
	raw.mutex.Unlock()
	if !keep {
		connection.socket.Close()
	}
}

// exchange asks for path and reads the response. Its body is valid until the next exchange.
func (connection *connection) exchange(authority, path string) (body []byte, keepAlive bool, err error) {
	request := append(append(connection.request[:0], "GET "...), path...)
	request = append(append(request, " HTTP/1.1\r\nHost: "...), authority...)
	connection.request = append(request, "\r\n\r\n"...)
	if _, err := connection.socket.Write(connection.request); err != nil {
		return nil, false, err
	}
	filled, headBytes := 0, 0
	for headBytes == 0 {
		if filled == len(connection.buffer) {
			connection.grow(2 * filled)
		}
		if filled, err = connection.read(filled); err != nil {
			return nil, false, err
		}
		if end := bytes.Index(connection.buffer[:filled], []byte("\r\n\r\n")); end >= 0 {
			headBytes = end + 4
		} else if filled > headBytesMax {
			return nil, false, fmt.Errorf("the response's head has more than %d bytes", headBytesMax)
		}
	}
	head, err := parseHead(connection.buffer[:headBytes])
	if err != nil {
		return nil, false, err
	}
	whole := headBytes + head.bodyBytes
	connection.grow(whole)
	for filled < whole {
		if filled, err = connection.read(filled); err != nil {
			return nil, false, err
		}
	}
	// Bytes beyond the response belong to no request that was sent.
	return connection.buffer[headBytes:whole], head.keepAlive && filled == whole, nil
}

// grow makes the buffer wanted bytes long if it is shorter.
func (connection *connection) grow(wanted int) {
	if wanted > len(connection.buffer) {
		connection.buffer = append(connection.buffer, make([]byte, wanted-len(connection.buffer))...)
	}
}

// read reads behind the filled bytes of the buffer, and returns how many are filled now.
func (connection *connection) read(filled int) (int, error) {
	count, err := connection.socket.Read(connection.buffer[filled:])
	if count == 0 && err != nil {
		return filled, fmt.Errorf("after %d bytes of an unfinished response: %w", filled, err)
	}
	return filled + count, nil
}

type head struct {
	bodyBytes int
	keepAlive bool
}

// parseHead reads the head of a response, its empty line included.
func parseHead(bytesOfHead []byte) (head, error) {
	line, fields, _ := bytes.Cut(bytesOfHead, []byte("\r\n"))
	version, rest, found := bytes.Cut(line, []byte(" "))
	if !found || !bytes.HasPrefix(version, []byte("HTTP/1.")) {
		return head{}, errors.New("the response is not HTTP")
	}
	if status, _, _ := bytes.Cut(rest, []byte(" ")); string(status) != "200" {
		return head{}, fmt.Errorf("status %s", status)
	}
	// HTTP/1.0 closes unless told otherwise, HTTP/1.1 does not (RFC 9112, section 9.3).
	parsed := head{bodyBytes: -1, keepAlive: string(version) == "HTTP/1.1"}
	for len(fields) > 0 {
		line, fields, _ = bytes.Cut(fields, []byte("\r\n"))
		name, value, _ := bytes.Cut(line, []byte(":"))
		if err := parsed.field(name, bytes.TrimSpace(value)); err != nil {
			return head{}, err
		}
	}
	if parsed.bodyBytes < 0 {
		return head{}, errors.New("the response has no Content-Length, which the raw client needs")
	}
	return parsed, nil
}

func (head *head) field(name, value []byte) error {
	switch {
	case bytes.EqualFold(name, []byte("content-length")):
		length, err := strconv.ParseUint(string(value), 10, 31)
		if err != nil || length > bodyBytesMax || head.bodyBytes >= 0 && head.bodyBytes != int(length) {
			return errors.New("the response's Content-Length is no length")
		}
		head.bodyBytes = int(length)
	case bytes.EqualFold(name, []byte("transfer-encoding")), bytes.EqualFold(name, []byte("content-encoding")):
		return errors.New("the body is chunked or compressed, which the raw client does not read")
	case bytes.EqualFold(name, []byte("connection")):
		head.keepAlive = head.keepAlive && !bytes.Contains(bytes.ToLower(value), []byte("close"))
	}
	return nil
}
