package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"
)

func answer(target string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	documents := [][]byte{[]byte("one"), []byte("two")}
	newHandler(documents).ServeHTTP(recorder, httptest.NewRequest("GET", target, nil))
	return recorder
}

func TestDocumentsAreServedByTheirNumber(t *testing.T) {
	for target, body := range map[string]string{
		"/api/v2/pokemon/1": "one",
		"/api/v2/pokemon/2?delay_us=1&block_us=1&burn_us=1": "two",
	} {
		got := answer(target)
		if got.Code != http.StatusOK || got.Body.String() != body {
			t.Errorf("%s: %d %q", target, got.Code, got.Body)
		}
	}
	for _, id := range []string{"0", "3", "-1", "x"} {
		if got := answer("/api/v2/pokemon/" + id); got.Code != http.StatusNotFound {
			t.Errorf("%s: %d", id, got.Code)
		}
	}
}

func TestABadQueryIsToldInOneLine(t *testing.T) {
	for query, why := range map[string]string{
		"delay=1":           "not among the keys",
		"delay_us=":         "takes microseconds",
		"burn_us=60000001":  "takes microseconds",
		"block_us=60000001": "takes microseconds",
		"burn_us=1,x":       "not \"x\"",
		"burn_us=%2B1":      "takes microseconds",
	} {
		got := answer("/api/v2/pokemon/1?" + query)
		if got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), why) {
			t.Errorf("%s: %d %q", query, got.Code, got.Body)
		}
	}
}

func TestSeveralNumbersAreTakenInTurn(t *testing.T) {
	const us = time.Microsecond
	odd, even := wanted{5 * us, 3 * us, 7 * us}, wanted{0, 4 * us, 7 * us}
	for id, taken := range map[int]wanted{1: odd, 2: even, 3: odd} {
		got, err := readQuery(id, "delay_us=5,0&block_us=3,4&burn_us=7")
		if err != nil || got != taken {
			t.Errorf("%d: %v %v", id, got, err)
		}
	}
}

func TestNobodyGoesOnEarly(t *testing.T) {
	begin := time.Now()
	block(2 * time.Millisecond)
	if took := time.Since(begin); took < 2*time.Millisecond {
		t.Errorf("%v", took)
	}
}

func TestAtLeastWhatWasAskedForIsBurnt(t *testing.T) {
	// The goroutine may be on another thread afterwards, so the process' own clock has to do.
	before := processCPU(t)
	burn(5 * time.Millisecond)
	if used := processCPU(t) - before; used < 5*time.Millisecond {
		t.Errorf("%v", used)
	}
}

func processCPU(t *testing.T) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
