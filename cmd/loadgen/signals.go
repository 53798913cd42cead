package main

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"

	"scalableappbackend/loadgen"
)

// stopper ends a run on request: the first one stops the sending, the second one cuts the drain.
type stopper struct {
	cancel  context.CancelCauseFunc
	stopped func(cause string) // called once, at the first request

	mu    sync.Mutex
	asked int
	run   *loadgen.Handle // nil before it has started
	cut   chan struct{}
}

// newStopper returns a context that the first request ends, and the stopper to make requests to.
func newStopper(parent context.Context, stopped func(cause string)) (context.Context, *stopper) {
	ctx, cancel := context.WithCancelCause(parent)
	return ctx, &stopper{cancel: cancel, stopped: stopped, cut: make(chan struct{})}
}

// stop makes a request. The cause of the first one becomes that of the context, and its text the
// result's stopped_by.
func (s *stopper) stop(cause string) {
	s.mu.Lock()
	s.asked++
	asked, run := s.asked, s.run
	if asked == 2 {
		close(s.cut)
	}
	s.mu.Unlock()
	switch {
	case run == nil: // the context keeps it from starting
	case asked == 1:
		run.Stop(cause)
	case asked == 2:
		run.Cut()
	}
	if asked == 1 {
		s.cancel(errors.New(cause))
		s.stopped(cause)
	}
}

// take makes the requests that follow of a run, and those that came before it had started.
func (s *stopper) take(run *loadgen.Handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run = run; s.asked > 1 {
		run.Cut()
	}
}

// watch makes a request of each signal until done is closed. Of hangups only the first one counts: a terminal that is
// closed sends one, and the shell in it another.
func (s *stopper) watch(signals <-chan os.Signal, done <-chan struct{}) {
	hungUp := false
	for {
		select {
		case sig := <-signals:
			if sig == syscall.SIGHUP {
				if hungUp {
					continue
				}
				hungUp = true
			}
			s.stop("signal: " + sig.String())
		case <-done:
			return
		}
	}
}
