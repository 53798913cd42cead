package main

import (
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"scalableappbackend/loadgen/aws/tasks"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/validity"
)

// env is what the process has of the world; a test gives its own.
type env struct {
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
	lookup         func(string) (string, bool)
	environ        []string
	guard          func() *exec.Cmd // this program again: see newGuard
	cloud          *cloud
	pace           tasks.Pace // of launchers and tasks; zero: theirs
	isTTY          func(stream any) bool
	size           func(stream any) (columns, lines int) // of a terminal; 0 when unknown
	signals        func() (signals <-chan os.Signal, stop func())
	judge          func(validity.Evidence) (result.Validity, []result.Reason) // nil: validity.Judge
	outlivePipes   func()                                                     // from now on a stream that nobody reads any more gives an error instead of a signal that kills
}

// system is the env of a real process.
func system() env {
	return env{
		args:    os.Args[1:],
		stdin:   os.Stdin,
		stdout:  os.Stdout,
		stderr:  os.Stderr,
		lookup:  os.LookupEnv,
		environ: os.Environ(),
		cloud:   newCloud(),
		guard: func() *exec.Cmd {
			self, err := os.Executable()
			if err != nil {
				self = os.Args[0]
			}
			return &exec.Cmd{Path: self, Args: []string{os.Args[0], guardCommand}} // a program may decide by its name what it is
		},
		isTTY: func(stream any) bool {
			f, ok := stream.(*os.File)
			return ok && term.IsTerminal(int(f.Fd()))
		},
		size: func(stream any) (columns, lines int) {
			f, ok := stream.(*os.File)
			if !ok {
				return 0, 0
			}
			columns, lines, err := term.GetSize(int(f.Fd()))
			if err != nil {
				return 0, 0
			}
			return columns, lines
		},
		signals: func() (<-chan os.Signal, func()) {
			// Two may come before anybody reads: one stops the run, another one cuts its drain.
			c := make(chan os.Signal, 2)
			signal.Notify(c, os.Interrupt, syscall.SIGTERM)
			if !signal.Ignored(syscall.SIGHUP) { // nohup says that the run is to outlive its terminal
				signal.Notify(c, syscall.SIGHUP)
			}
			return c, func() { signal.Stop(c) }
		},
		// Not signal.Ignore, which the replicas of a lab would inherit.
		outlivePipes: func() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) },
	}
}

// variable is the value of an environment variable; an empty one counts as not set, because
// a container's definition can often not take one away.
func (e *env) variable(name string) (string, bool) {
	value, ok := e.lookup(name)
	return value, ok && value != ""
}

// color reports whether a stream takes colors: a terminal that can, unless NO_COLOR is set (no-color.org).
func (e *env) color(stream any) bool {
	_, no := e.variable("NO_COLOR")
	return e.isScreen(stream) && !no
}

// isScreen reports whether a stream is a terminal that can more than write line after line.
func (e *env) isScreen(stream any) bool {
	kind, _ := e.variable("TERM")
	return e.isTTY(stream) && kind != "dumb"
}

// draws reports whether a run is drawn on a screen: unless told otherwise, when a person looks at both streams.
func (e *env) draws(headless *bool) bool {
	if headless == nil {
		return e.isTTY(e.stdout) && e.isScreen(e.stderr)
	}
	return !*headless && e.isScreen(e.stderr)
}
