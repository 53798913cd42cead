package validity

import (
	"os"
	"syscall"

	"scalableappbackend/loadgen/result"
)

// source asks the system anew each time. Throttling and steal are unknown on macOS.
type source struct{}

func newSource(string) *source { return &source{} }

func (*source) seesAbove() bool { return false }
func (*source) close() error    { return nil }

func (*source) read() counters {
	return counters{
		cpu:       processCPU(),
		steal:     result.Unknown(),
		host:      result.Unknown(),
		rss:       peakRSS(),
		openFiles: openFiles(),
	}
}

// peakRSS is the most that was resident so far, in bytes: macOS tells no other process figure
// without cgo.
func peakRSS() result.Reading {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return result.Unknown()
	}
	return result.Reading(usage.Maxrss)
}

func openFiles() result.Reading {
	dir, err := os.Open("/dev/fd")
	if err != nil {
		return result.Unknown()
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return result.Unknown()
	}
	return result.Reading(max(len(names)-1, 0)) // without the one just opened
}
