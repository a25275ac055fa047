package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

const protocolVersion = 1

// Job is what is read on standard input.
type Job struct {
	Protocol    int       `json:"protocol"`
	Origin      string    `json:"origin"`
	Path        string    `json:"path"`
	IDs         []uint32  `json:"ids"`
	Documents   uint64    `json:"documents"`
	Concurrency uint64    `json:"concurrency"`
	Client      string    `json:"client"`
	Top         int       `json:"top"`
	Arrivals    *Arrivals `json:"arrivals"`
}

func readJob(from io.Reader) (*Job, error) {
	text, err := io.ReadAll(from)
	if err != nil {
		return nil, fmt.Errorf("read the job: %w", err)
	}
	job := new(Job)
	switch err := json.Unmarshal(text, job); {
	case err != nil:
		return nil, fmt.Errorf("not a job of the lane protocol: %w", err)
	case job.Protocol != protocolVersion:
		return nil, fmt.Errorf("protocol %d, but this program speaks protocol %d", job.Protocol, protocolVersion)
	case len(job.IDs) == 0 || job.Concurrency == 0 || !strings.Contains(job.Path, "{id}"):
		return nil, errors.New("a job needs an id, a concurrency of 1 or more, and {id} in its path")
	case job.Arrivals != nil && job.Arrivals.Rate == 0:
		return nil, errors.New("a job needs a rate of 1 or more")
	}
	return job, nil
}

// urls returns a function from a document's number to its URL. Parts of it are the same for all.
func (job *Job) urls() func(index uint64) string {
	before, after, _ := strings.Cut(job.Origin+job.Path, "{id}")
	return func(index uint64) string {
		id := job.IDs[index%uint64(len(job.IDs))]
		return before + strconv.FormatUint(uint64(id), 10) + after
	}
}

// idleConnections is how many connections documents that are yet to be asked for can use again.
func (job *Job) idleConnections() int {
	yetToCome := uint64(0)
	switch {
	case job.Arrivals != nil && job.Documents > 0:
		yetToCome = job.Documents - 1
	case job.Documents > job.Concurrency:
		yetToCome = job.Documents - job.Concurrency
	}
	return int(min(job.Concurrency, yetToCome))
}

// Outcome is what is written on standard output.
type Outcome struct {
	Protocol  int        `json:"protocol"`
	Completed *Completed `json:"completed,omitempty"`
	Failed    *Failed    `json:"failed,omitempty"`
}

// Completed is a job that was done.
type Completed struct {
	Answer           Answer     `json:"answer"`
	ReadyUnixUS      int64      `json:"ready_unix_us"`
	WallNS           int64      `json:"wall_ns"`
	ServiceTimesNS   [][2]int64 `json:"service_times_ns"`
	LatenciesNS      [][2]int64 `json:"latencies_ns,omitempty"`
	SentInTime       *uint64    `json:"sent_in_time,omitempty"`
	Usage            usage      `json:"usage"`
	RSSPeak          uint64     `json:"rss_bytes_peak,omitempty"`
	AddressSpacePeak uint64     `json:"address_space_bytes_peak,omitempty"`
}

// Failed is the request that failed the job, and why.
type Failed struct {
	URL string `json:"url,omitempty"`
	Why string `json:"why"`
}

func completed(job *Job, tally *Tally, ready time.Time, wall time.Duration, usage usage) Outcome {
	rss, addressSpace := memoryPeaks()
	completed := &Completed{
		Answer:           tally.answer,
		ReadyUnixUS:      ready.UnixMicro(),
		WallNS:           wall.Nanoseconds(),
		ServiceTimesNS:   pairs(tally.serviceTimes),
		Usage:            usage,
		RSSPeak:          rss,
		AddressSpacePeak: addressSpace,
	}
	if job.Arrivals != nil {
		completed.LatenciesNS = pairs(tally.latencies)
		completed.SentInTime = &tally.sentInTime
	}
	return Outcome{Protocol: protocolVersion, Completed: completed}
}

func failed(err error) Outcome {
	failed := &Failed{Why: err.Error()}
	if fetch := (*fetchError)(nil); errors.As(err, &fetch) {
		failed.URL, failed.Why = fetch.url, fetch.why.Error()
	}
	return Outcome{Protocol: protocolVersion, Failed: failed}
}

func pairs(times []time.Duration) [][2]int64 {
	pairs := make([][2]int64, len(times))
	for i, time := range times {
		pairs[i] = [2]int64{time.Nanoseconds(), 1}
	}
	return pairs
}
