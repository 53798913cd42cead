package loadgen

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"scalableappbackend/internal/calm"
)

func TestARunStartsAtTheInstantThatItIsGiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at := time.Now().Add(90*time.Second + 250*ms)
		r := Runner{Plan: brief(), Transport: service(healthy), Judge: calm.Judge, Hold: StartAt(at)}
		h, err := r.Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if now := time.Now(); !now.Equal(at) {
			t.Errorf("the clock read 0 at %v, want %v", now, at)
		}
		res, err := h.Wait()
		if err != nil || !res.StartedAt.Equal(at) || res.DurationS < 20 {
			t.Errorf("started at %v and lasted %v s: %v", res.StartedAt, res.DurationS, err)
		}
	})
}

func TestARunThatIsTooLateOrStoppedBeforeItsStartSendsNothing(t *testing.T) {
	late := func(err error) bool {
		e, ok := errors.AsType[*LateError](err)
		return ok && e.By == 1500*ms
	}
	stop := errors.New("signal: terminated")
	for name, row := range map[string]struct {
		in   time.Duration
		want func(error) bool
	}{
		"it is 1.5 s late":     {-1500 * ms, late},
		"it is stopped at 10s": {time.Minute, func(err error) bool { return errors.Is(err, stop) }},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			began := time.Now()
			time.AfterFunc(10*time.Second, func() { cancel(stop) })
			kept := &record{}
			r := Runner{Plan: brief(), Judge: calm.Judge, Hold: StartAt(began.Add(row.in))}
			r.Sinks = append(r.Sinks, kept)
			h, err := r.Start(ctx)
			if _, ok := errors.AsType[*InputError](err); !ok || h != nil || !row.want(err) || kept.started == nil || len(kept.windows) > 0 {
				t.Errorf("%s: %v", name, err)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("%s: known after %v", name, took)
			}
			time.Sleep(10 * time.Second)
		})
	}
}
