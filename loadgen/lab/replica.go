package lab

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// replica is a server that has accepted a connection, or will without delay.
type replica interface {
	// addr is HOST:PORT.
	addr() string
	// used is the CPU time used until now in seconds of all that the replica may use; not ok when it cannot be known.
	used() (seconds float64, ok bool)
	// stop asks it to end and waits until it has, by force after grace or when hurry ends: then it is not orderly.
	stop(grace time.Duration, hurry <-chan struct{}) (orderly bool)
	// kill ends it at once, requests in flight included, and waits until it has.
	kill()
	// done is closed when it has ended, whoever ended it.
	done() <-chan struct{}
	// err says how it ended when nobody asked it to; after done.
	err() error
	// output is the last lines that it wrote.
	output() []string
}

// launcher starts replicas.
type launcher interface {
	// launch returns when the replica listens. It is not bound to ctx after that.
	launch(ctx context.Context, id string, number int) (replica, error)
	// startup is for how long after the launch failing health checks are not held against a replica.
	startup() time.Duration
	// slow says that starting takes its own time, so that none is to be modelled.
	slow() bool
}

// ReplicaError is a program given as a replica that did not work.
type ReplicaError struct {
	Command string
	Reason  string   // "exit status 3", "did not listen on port 40001 within 30s" …
	Output  []string // its last lines
	Hint    string   // something to try; mostly empty
}

// Error is one line, the last lines of the program included.
func (e *ReplicaError) Error() string {
	s := fmt.Sprintf("replica %q: %s", e.Command, e.Reason)
	if e.Hint != "" {
		s += " (hint: " + e.Hint + ")"
	}
	if len(e.Output) == 0 {
		return s + "; it wrote nothing"
	}
	return s + "; its last lines: " + strings.Join(e.Output[max(0, len(e.Output)-shownLines):], " | ")
}

// shownLines is how many of a program's lines an error shows.
const shownLines = 3
