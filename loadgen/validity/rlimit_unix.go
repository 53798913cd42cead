//go:build unix

package validity

import (
	"math"
	"syscall"

	"scalableappbackend/loadgen/result"
)

// fileLimit is the soft limit on descriptors. The Go runtime has raised it to the hard one by the
// time that this is called (package syscall, rlimit.go).
func fileLimit() result.Reading {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return result.Unknown()
	}
	// RLIM_INFINITY is 2^64-1 on Linux and 2^63-1 on macOS.
	if uint64(limit.Cur) >= math.MaxInt64 {
		return noLimit()
	}
	return result.Reading(limit.Cur)
}
