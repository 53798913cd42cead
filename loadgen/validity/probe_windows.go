package validity

import (
	"syscall"

	"scalableappbackend/loadgen/result"
)

// source asks the system anew each time. Throttling, steal, resident memory and descriptors are
// unknown on Windows.
type source struct{}

func newSource(string) *source { return &source{} }

func (*source) seesAbove() bool { return false }
func (*source) close() error    { return nil }

func (*source) read() counters {
	return counters{
		cpu:       processCPU(),
		steal:     result.Unknown(),
		host:      result.Unknown(),
		rss:       result.Unknown(),
		openFiles: result.Unknown(),
	}
}

// processCPU is the CPU time of all threads of the process so far, in seconds.
func processCPU() result.Reading {
	process, err := syscall.GetCurrentProcess()
	if err != nil {
		return result.Unknown()
	}
	var created, exited, kernel, user syscall.Filetime
	if err := syscall.GetProcessTimes(process, &created, &exited, &kernel, &user); err != nil {
		return result.Unknown()
	}
	return seconds(kernel) + seconds(user)
}

// seconds reads a Filetime as a length of time, in units of 100 ns. Its own method Nanoseconds
// reads it as a date.
func seconds(t syscall.Filetime) result.Reading {
	return result.Reading(float64(uint64(t.HighDateTime)<<32|uint64(t.LowDateTime)) / 1e7)
}
