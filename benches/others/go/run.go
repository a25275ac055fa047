package main

import (
	"math"
	"sync"
	"sync/atomic"
	"time"
)

// Tally is the answer so far, with the times of every document in it. Goroutines share one.
type Tally struct {
	mutex        sync.Mutex
	answer       Answer
	serviceTimes []time.Duration
	latencies    []time.Duration
	sentInTime   uint64
	first        error // the first request that failed
	failed       atomic.Bool
}

// fetchAndAggregate fetches every document of the job with at most job.Concurrency in flight, and
// folds them.
func fetchAndAggregate(client client, job *Job, start time.Time) (*Tally, error) {
	tally := &Tally{answer: newAnswer(job.Top), serviceTimes: make([]time.Duration, 0, job.Documents)}
	if job.Arrivals != nil {
		openLoop(client, job, start, tally)
	} else {
		closedLoop(client, job, tally)
	}
	return tally, tally.first
}

// closedLoop runs a goroutine for each request that may be in flight, and each takes the next
// document until there is none. A goroutine for each document, behind a semaphore, was measured
// beside it: no faster with 800 in flight, and without delay it took 20 % longer.
func closedLoop(client client, job *Job, tally *Tally) {
	var workers sync.WaitGroup
	var taken atomic.Uint64
	url := job.urls()
	for range min(job.Concurrency, job.Documents) {
		workers.Go(func() {
			for index := taken.Add(1) - 1; index < job.Documents && !tally.failed.Load(); index = taken.Add(1) - 1 {
				tally.add(client.fetch(url(index)))
			}
		})
	}
	workers.Wait()
}

// openLoop runs a goroutine for each document from when it is due, or from when fewer than
// job.Concurrency are in flight.
func openLoop(client client, job *Job, start time.Time, tally *Tally) {
	var requests sync.WaitGroup
	inFlight := make(chan struct{}, job.Concurrency)
	url := job.urls()
	due, end := job.Arrivals.schedule(job.Documents)
	tally.latencies = make([]time.Duration, 0, job.Documents)
	for index, due := range due {
		time.Sleep(due - time.Since(start))
		inFlight <- struct{}{}
		if tally.failed.Load() {
			break
		}
		requests.Go(func() {
			sent := time.Since(start)
			fetched, err := client.fetch(url(uint64(index)))
			<-inFlight
			tally.add(fetched, err)
			if err == nil {
				tally.addOnSchedule(sent-due+fetched.serviceTime, sent < end)
			}
		})
	}
	requests.Wait()
}

// add folds one document in, or takes note that there is none.
func (tally *Tally) add(fetched Fetched, err error) {
	tally.mutex.Lock()
	defer tally.mutex.Unlock()
	if err != nil {
		if tally.first == nil {
			tally.first = err
		}
		tally.failed.Store(true)
		return
	}
	tally.answer.add(&fetched)
	tally.serviceTimes = append(tally.serviceTimes, fetched.serviceTime)
}

func (tally *Tally) addOnSchedule(latency time.Duration, sentInTime bool) {
	tally.mutex.Lock()
	defer tally.mutex.Unlock()
	tally.latencies = append(tally.latencies, latency)
	if sentInTime {
		tally.sentInTime++
	}
}

// Arrivals are documents that are due at a rate.
type Arrivals struct {
	Process string `json:"process"`
	Rate    uint64 `json:"rate"`
	Seed    uint64 `json:"seed"`
}

// schedule is when each document is due, from the start of the job, and when the schedule ends: one
// gap after the last of them.
func (arrivals *Arrivals) schedule(documents uint64) (due []time.Duration, end time.Duration) {
	state, nanoseconds := arrivals.Seed, 0.0
	for index := range documents {
		due = append(due, end)
		if arrivals.Process == "uniform" {
			end = time.Duration((index + 1) * uint64(time.Second) / arrivals.Rate)
			continue
		}
		part := float64(splitMix64(&state)>>11+1) / (1 << 53)
		nanoseconds += -math.Log(part) / float64(arrivals.Rate) * float64(time.Second)
		end = time.Duration(nanoseconds)
	}
	return due, end
}

// splitMix64 is the next number of the generator of that name.
func splitMix64(state *uint64) uint64 {
	*state += 0x9e3779b97f4a7c15
	mixed := (*state ^ *state>>30) * 0xbf58476d1ce4e5b9
	mixed = (mixed ^ mixed>>27) * 0x94d049bb133111eb
	return mixed ^ mixed>>31
}
