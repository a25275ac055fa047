package main

import (
	"encoding/json"
	"math"
	"net"
	"testing"
	"time"
)

func TestScheduleIsThatOfTheProtocol(t *testing.T) {
	arrivals := Arrivals{Process: "poisson", Rate: 1000, Seed: 42}
	due, end := arrivals.schedule(3)
	for index, microseconds := range []int64{0, 298, 2132, 3410} {
		if got := append(due, end)[index].Microseconds(); got != microseconds {
			t.Errorf("document %d is due at %d µs, not %d", index, got, microseconds)
		}
	}
	arrivals.Process = "uniform"
	if due, end := arrivals.schedule(3); due[2] != 2*time.Millisecond || end != 3*time.Millisecond {
		t.Errorf("uniform: %v, %v", due, end)
	}
}

func TestSumsAreExactBeyondAWord(t *testing.T) {
	var total sum
	for _, value := range []int64{math.MaxInt64, math.MaxInt64, -1, math.MinInt64} {
		total.add(value)
	}
	if text, _ := json.Marshal(&total); string(text) != `"9223372036854775805"` {
		t.Error(string(text))
	}
}

func TestRawReadsInPiecesAndRefusesByName(t *testing.T) {
	cases := []struct{ response, body, why string }{
		{"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", "{}", ""},
		{"HTTP/1.1 404 Not Found\r\n\r\n", "", "status 404"},
		{"220 smtp ready\r\n\r\n", "", "the response is not HTTP"},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "",
			"the body is chunked or compressed, which the raw client does not read"},
		{"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\n", "", "the response's Content-Length is no length"},
		{"HTTP/1.1 200 OK\r\n\r\n", "", "the response has no Content-Length, which the raw client needs"},
		{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{", "", "after 39 bytes of an unfinished response: EOF"},
	}
	for _, c := range cases {
		ours, theirs := net.Pipe()
		go func() {
			theirs.Read(make([]byte, 1000))
			for i := range len(c.response) {
				theirs.Write([]byte{c.response[i]})
			}
			theirs.Close()
		}()
		connection := connection{socket: ours, buffer: make([]byte, 8)}
		body, _, err := connection.exchange("host", "/")
		switch {
		case string(body) != c.body:
			t.Errorf("%q: body %q", c.response, body)
		case c.why != "" && (err == nil || err.Error() != c.why):
			t.Errorf("%q: %v", c.response, err)
		}
	}
}
