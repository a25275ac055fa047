package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// client fetches one document. Many goroutines share one.
type client interface {
	fetch(url string) (Fetched, error)
}

// fetchError says which request failed, and why.
type fetchError struct {
	url string
	why error
}

func (err *fetchError) Error() string {
	return fmt.Sprintf("GET %s: %v", err.url, err.why)
}

// library is net/http.
type library struct {
	http    *http.Client
	buffers *sync.Pool
}

// newLibrary has the settings of the other lanes: no time-outs, no compression asked for, and as
// many idle connections as can be of use. net/http sets TCP_NODELAY by itself; the probes of an idle
// connection, which it sets, too, no other lane has, and they are four system calls a connection.
func newLibrary(idleConnections int) client {
	if idleConnections == 0 {
		idleConnections = -1 // zero would be the default, which is two
	}
	transport := &http.Transport{
		DialContext:         (&net.Dialer{KeepAlive: -1}).DialContext,
		DisableCompression:  true,
		MaxIdleConnsPerHost: idleConnections,
	}
	return &library{http: &http.Client{Transport: transport}, buffers: newBuffers()}
}

// newDefault has the settings of whoever writes http.Get: two idle connections for each host, and
// every other one is closed after its response.
func newDefault() client {
	return &library{http: http.DefaultClient, buffers: newBuffers()}
}

func newBuffers() *sync.Pool {
	return &sync.Pool{New: func() any { return new(bytes.Buffer) }}
}

func (library *library) fetch(address string) (Fetched, error) {
	started := time.Now()
	response, err := library.http.Get(address)
	if err != nil {
		return Fetched{}, &fetchError{address, cause(err)}
	}
	defer response.Body.Close()
	if response.StatusCode/100 != 2 {
		return Fetched{}, &fetchError{address, fmt.Errorf("status %s", response.Status)}
	}
	// Read whole and then parsed, as in the other lanes; a buffer serves many bodies.
	body := library.buffers.Get().(*bytes.Buffer)
	defer library.buffers.Put(body)
	body.Reset()
	if response.ContentLength > 0 {
		body.Grow(int(response.ContentLength) + bytes.MinRead)
	}
	if _, err := body.ReadFrom(response.Body); err != nil {
		return Fetched{}, &fetchError{address, err}
	}
	return parse(address, body.Bytes(), time.Since(started))
}

// cause is the error without the URL, which net/http puts in front of it.
func cause(err error) error {
	if wrapped := (*url.Error)(nil); errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
