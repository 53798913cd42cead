package main

import (
	"context"

	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/tui"
)

// steer runs what a runner was made for, lets a stopper end it, and lets the keys of the screen, which may be nil, and the lines of --control
// change it meanwhile.
func (e *env) steer(ctx context.Context, runner *loadgen.Runner, r *resolution, stopper *stopper, screen *tui.Screen) (*result.Result, error) {
	h, err := runner.Start(ctx)
	if err != nil {
		return nil, err
	}
	stopper.take(h)
	if screen != nil {
		screen.Steer(h)
	}
	if r.control {
		// It reads until its input ends or the program does: a read that waits cannot be called back.
		go h.Control(e.stdin, func(line string) {
			if screen == nil {
				e.say("control: %s", line)
			}
		})
	}
	return h.Wait()
}
