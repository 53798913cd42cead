//go:build unix

package validity

import (
	"syscall"
	"time"

	"scalableappbackend/loadgen/result"
)

// processCPU is the CPU time of all threads of the process so far, in seconds.
func processCPU() result.Reading {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return result.Unknown()
	}
	used := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	return result.Reading(used.Seconds())
}
