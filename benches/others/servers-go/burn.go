package main

import (
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// clockThreadCPUTime is CLOCK_THREAD_CPUTIME_ID of <time.h>.
const clockThreadCPUTime = 3

// burn keeps its thread busy until it has used so much CPU: by the thread's own clock, so that time in
// which it does not run does not count.
func burn(cpu time.Duration) {
	if cpu == 0 {
		return
	}
	// The clock is the thread's, so the goroutine has to stay on it.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	end := threadCPU() + cpu
	for threadCPU() < end {
		// Reading the clock is a system call: without work in between, it would all be that.
		for number := range 200 {
			work(number)
		}
	}
}

// work does nothing, and the compiler does not see that.
//
//go:noinline
func work(int) {}

func threadCPU() time.Duration {
	var now syscall.Timespec
	_, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockThreadCPUTime,
		uintptr(unsafe.Pointer(&now)), 0)
	if errno != 0 {
		panic(errno) // only for a clock that is none
	}
	return time.Duration(now.Nano())
}
