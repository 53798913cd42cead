// Command server runs the API of package server: flags and environment in, JSON log lines and an exit code out.
//
// The log, one JSON object a line, goes to stderr, and so does the reason of an exit code other than 0, one plain line
// that begins with "server:". The answers to -h and -version go to stdout. Exit codes: 0 served and drained, 1 could not
// serve or was cut short, 2 flags or environment that cannot be used.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 2) // one drains, a second one ends at once
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	os.Exit(run(os.Args[1:], env{
		stdout: os.Stdout, stderr: os.Stderr,
		lookup: os.LookupEnv, hostname: os.Hostname, signals: signals,
	}))
}
