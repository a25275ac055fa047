// Command lane does one job of the lane protocol (crates/job/PROTOCOL.md) with goroutines.
//
// Run as
//
//	lane              a transport that keeps a connection for each request in flight
//	lane limit=100    the same, with at most 100 requests in flight
//	lane default      http.DefaultClient, which keeps two
//	lane --version
//
// In reading order: fetch.go and raw.go fetch one document, run.go all of them, answer.go folds
// them, and job.go and process.go are what travels and what the system knows.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

func main() {
	options, err := parseArguments(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "lane:", err)
		os.Exit(2)
	}
	if options.version {
		fmt.Println(runtime.Version())
		return
	}
	job, err := readJob(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "lane:", err)
		os.Exit(1)
	}
	if err := json.NewEncoder(os.Stdout).Encode(do(job, options)); err != nil {
		fmt.Fprintln(os.Stderr, "lane: write the outcome:", err)
		os.Exit(1)
	}
}

// options are what the command line says.
type options struct {
	version       bool
	defaultClient bool
	limit         uint64 // the most requests in flight, 0 for as many as the job allows
}

func parseArguments(arguments []string) (options, error) {
	var parsed options
	for _, argument := range arguments {
		limit, isLimit := strings.CutPrefix(argument, "limit=")
		switch {
		case argument == "--version":
			parsed.version = true
		case argument == "default":
			parsed.defaultClient = true
		case isLimit:
			var err error
			parsed.limit, err = strconv.ParseUint(limit, 10, 64)
			if err != nil || parsed.limit == 0 {
				return parsed, fmt.Errorf("%s: a limit is a number above 0", argument)
			}
		default:
			return parsed, fmt.Errorf("%s: not default, limit=N or --version", argument)
		}
	}
	return parsed, nil
}

// do does the job and says what came of it.
func do(job *Job, options options) Outcome {
	if options.limit > 0 {
		job.Concurrency = min(job.Concurrency, options.limit)
	}
	before := usageNow()
	ready := time.Now()
	client := newClient(job, options.defaultClient)
	tally, err := fetchAndAggregate(client, job, ready)
	wall := time.Since(ready)
	usage := usageNow().less(before)
	if err != nil {
		return failed(err)
	}
	return completed(job, tally, ready, wall, usage)
}

// newClient makes what the job asks to fetch with.
func newClient(job *Job, defaultClient bool) client {
	switch {
	case job.Client == "raw":
		return newRaw(job.idleConnections())
	case defaultClient:
		return newDefault()
	default:
		return newLibrary(job.idleConnections())
	}
}
