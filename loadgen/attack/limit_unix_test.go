//go:build !windows

package attack

import (
	"syscall"
	"testing"
)

// openFiles is how many descriptors this process may have; the runtime has raised its limit as far as it may.
func openFiles(t *testing.T) int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Skip(err)
	}
	return int(min(uint64(limit.Cur), 1<<30))
}
