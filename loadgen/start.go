package loadgen

import (
	"context"
	"fmt"
	"time"
)

// LateError is that a run came after the instant at which it was to start. Nothing was sent: a part of a load that starts later than
// the others would make another load of it.
type LateError struct {
	At time.Time
	By time.Duration
}

func (e *LateError) Error() string {
	return fmt.Sprintf("the start was to be at %s, %v ago: nothing was sent", e.At.UTC().Format(time.RFC3339Nano), e.By.Round(time.Millisecond))
}

// StartAt is a [Runner.Hold] that waits for an instant, by this machine's clock, and refuses one that has passed with a
// [*LateError]. When ctx is done it ends with its cause.
func StartAt(at time.Time) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		// The wall clock may be set while it waits, so it looks again every second.
		wait := time.Until(at)
		if wait < 0 {
			return &LateError{at, -wait}
		}
		for wait > 0 {
			timer := time.NewTimer(min(wait, time.Second))
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return context.Cause(ctx)
			}
			wait = time.Until(at)
		}
		return nil
	}
}

// hold waits for what the run waits for.
func (r *Runner) hold(ctx context.Context) error {
	if r.Hold == nil {
		return nil
	}
	return r.Hold(ctx)
}
