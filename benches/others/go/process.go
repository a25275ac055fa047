package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// usage is what the kernel charged the process: getrusage(2).
type usage struct {
	UserUS              int64 `json:"user_us"`
	SystemUS            int64 `json:"system_us"`
	VoluntarySwitches   int64 `json:"voluntary_switches"`
	InvoluntarySwitches int64 `json:"involuntary_switches"`
	MinorFaults         int64 `json:"minor_faults"`
	MajorFaults         int64 `json:"major_faults"`
}

func usageNow() usage {
	var now syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &now); err != nil {
		panic(err) // only for an address that is none
	}
	return usage{
		UserUS:              now.Utime.Nano() / 1000,
		SystemUS:            now.Stime.Nano() / 1000,
		VoluntarySwitches:   int64(now.Nvcsw),
		InvoluntarySwitches: int64(now.Nivcsw),
		MinorFaults:         int64(now.Minflt),
		MajorFaults:         int64(now.Majflt),
	}
}

func (usage usage) less(before usage) usage {
	usage.UserUS -= before.UserUS
	usage.SystemUS -= before.SystemUS
	usage.VoluntarySwitches -= before.VoluntarySwitches
	usage.InvoluntarySwitches -= before.InvoluntarySwitches
	usage.MinorFaults -= before.MinorFaults
	usage.MajorFaults -= before.MajorFaults
	return usage
}

// memoryPeaks are VmHWM and VmPeak of /proc/self/status, in bytes; 0 where there is no such file.
func memoryPeaks() (rss, addressSpace uint64) {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		kibibytes, _ := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmHWM":
			rss = kibibytes * 1024
		case "VmPeak":
			addressSpace = kibibytes * 1024
		}
	}
	return rss, addressSpace
}
