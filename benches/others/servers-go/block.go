package main

import (
	"syscall"
	"time"
)

// block makes a system call that blocks its thread, as a handler does that calls something which does not
// know how its server waits. time.Sleep would park the goroutine alone. Go's runtime sees the call, and
// has another thread run the other goroutines meanwhile.
func block(duration time.Duration) {
	if duration == 0 {
		return
	}
	left := syscall.NsecToTimespec(duration.Nanoseconds())
	// The runtime signals its threads, which ends the call early.
	for syscall.Nanosleep(&left, &left) == syscall.EINTR {
	}
}
