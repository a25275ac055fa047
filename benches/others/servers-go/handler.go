package main

import (
	"bytes"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// microsecondsMax is the longest wait, the longest call that blocks and the most CPU that a request may
// ask for: a minute.
const microsecondsMax = 60_000_000

// readDocuments reads the document of every line. Line 1 is number 1.
func readDocuments(path string) ([][]byte, error) {
	lines, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the documents: %w", err)
	}
	return bytes.Split(bytes.TrimSuffix(lines, []byte("\n")), []byte("\n")), nil
}

// newHandler answers with a document, after what the query asks for.
func newHandler(documents [][]byte) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v2/pokemon/{id}", func(response http.ResponseWriter, request *http.Request) {
		id, err := strconv.Atoi(request.PathValue("id"))
		if err != nil || id < 1 || id > len(documents) {
			http.NotFound(response, request)
			return
		}
		wanted, err := readQuery(id, request.URL.RawQuery)
		if err != nil {
			http.Error(response, err.Error(), http.StatusBadRequest)
			return
		}
		time.Sleep(wanted.delay)
		block(wanted.block)
		burn(wanted.burn)
		response.Header().Set("Content-Type", "application/json")
		// Who cannot be written to is gone, and needs no answer.
		_, _ = response.Write(documents[id-1])
	})
	return mux
}

// wanted is what the query of a request asks for: to wait, then to block, and then to burn CPU.
type wanted struct {
	delay, block, burn time.Duration
}

func readQuery(id int, query string) (wanted, error) {
	var read wanted
	pairs, err := url.ParseQuery(query)
	if err != nil {
		return read, err
	}
	for key, values := range pairs {
		var into *time.Duration
		switch key {
		case "delay_us":
			into = &read.delay
		case "block_us":
			into = &read.block
		case "burn_us":
			into = &read.burn
		default:
			// A delay misspelt would be a delay not given.
			return read, fmt.Errorf("%q is not among the keys delay_us, block_us and burn_us", key)
		}
		if *into, err = inTurn(key, values[len(values)-1], id); err != nil {
			return read, err
		}
	}
	return read, nil
}

// inTurn is the one of several numbers, separated by commas, whose turn it is with this id: the first
// with 1.
func inTurn(key, value string, id int) (time.Duration, error) {
	var numbers []time.Duration
	for text := range strings.SplitSeq(value, ",") {
		number, err := strconv.ParseUint(text, 10, 64)
		if err != nil || number > microsecondsMax {
			return 0, fmt.Errorf("%s= takes microseconds from 0 to %d, not %q", key, microsecondsMax, text)
		}
		numbers = append(numbers, time.Duration(number)*time.Microsecond)
	}
	return numbers[(id-1)%len(numbers)], nil
}
