//go:build unix

package main

import (
	"os"
	"syscall"
)

// ownerOf is whose a file is, and who this process is.
func ownerOf(name string) (owner, user int, ok bool) {
	info, err := os.Stat(name)
	if err != nil {
		return 0, 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(stat.Uid), os.Geteuid(), true
}
