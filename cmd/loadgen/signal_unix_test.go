//go:build unix

package main

import (
	"os"
	"syscall"
)

func signalNames() map[string]os.Signal {
	return map[string]os.Signal{
		"INT": os.Interrupt, "HUP": syscall.SIGHUP, "PIPE": syscall.SIGPIPE, "TERM": syscall.SIGTERM, "KILL": os.Kill, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT,
	}
}
