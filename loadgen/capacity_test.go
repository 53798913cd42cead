package loadgen

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// watched is a service that grew from 2 to 4 tasks ten seconds into the load and is back at 2 five seconds after it.
type watched struct {
	began, ended time.Time
	recovered    atomic.Bool // Facts is called during AwaitRecovery
	known        bool
	failed       error
}

func (w *watched) LoadBegan(at time.Time) { w.began = at }
func (w *watched) LoadEnded(at time.Time) { w.ended = at }

func (w *watched) Findings(time.Duration) ([]result.Expectation, []string) {
	if w.failed == nil {
		return nil, nil
	}
	return []result.Expectation{{Expression: "crashes==0", Value: 1, Detail: w.failed.Error()}}, []string{w.failed.Error()}
}

func (w *watched) TaskCapacity() (float64, bool) {
	if w.known {
		return 20, true
	}
	return 0, false
}

func (w *watched) AwaitRecovery(ctx context.Context) (bool, error) {
	select {
	case <-time.After(5 * time.Second):
		w.recovered.Store(true)
		return true, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// Facts tells everything anew each time, as one who only sees how things are.
func (w *watched) Facts() []timeline.Fact {
	now := time.Since(w.began)
	r := timeline.NewRecorder(1, 2, 6)
	r.Until(now)
	r.Describe("fleet", 0, nil)
	if w.ended.IsZero() {
		r.LoadFrom(0)
	} else {
		r.Load(0, w.ended.Sub(w.began))
	}
	r.Point(timeline.Point{Desired: 2, Running: 2, Healthy: 2})
	if now > 10*time.Second {
		r.Point(timeline.Point{At: 10 * time.Second, Desired: 4, Running: 4, Healthy: 4})
		r.Activity(timeline.Activity{At: 10 * time.Second, Completed: 11 * time.Second, Policy: "cpu", From: 2, To: 4, Status: timeline.Successful, Description: "Setting desired count to 4."})
	}
	if w.recovered.Load() {
		loaded := w.ended.Sub(w.began)
		r.Activity(timeline.Activity{At: loaded + 2*time.Second, Completed: loaded + 3*time.Second, Policy: "cpu", From: 4, To: 2, Status: timeline.Successful, Description: "Setting desired count to 2."})
		r.Point(timeline.Point{At: loaded + 4*time.Second, Desired: 2, Running: 2, Healthy: 2})
	}
	return r.Facts()
}

func TestARunThatWatchesCapacityWaitsForItAndHoldsItToWhatWasExpected(t *testing.T) {
	interrupt := func(after time.Duration) func(context.CancelCauseFunc) {
		return func(stop context.CancelCauseFunc) {
			time.Sleep(after)
			stop(errors.New("signal: interrupt"))
		}
	}
	for _, row := range []struct {
		why      string
		expect   []string
		stopping func(context.CancelCauseFunc)
		failed   error
		code     int
		back     bool
	}{
		{why: "met", expect: []string{"max_tasks==4", "errors==0"}, back: true},
		{why: "not met", expect: []string{"max_tasks==6", "errors==0"}, code: 97, back: true},
		{why: "a signal under load ends the watching too", expect: []string{"max_tasks==4"}, stopping: interrupt(5 * time.Second), code: 105},
		{why: "a signal during recovery", expect: []string{"max_tasks==4"}, stopping: interrupt(22 * time.Second), code: 105},
		{why: "what the service holds itself to is told, and judged with what is expected", expect: []string{"max_tasks==4"}, failed: errors.New("replica task-3 died"), code: 97, back: true},
	} {
		fleet := &watched{known: true, failed: row.failed}
		res, err := run(t, Runner{Plan: brief(), Transport: service(healthy), Capacity: fleet, Expect: row.expect}, row.stopping)
		if err != nil {
			t.Errorf("%s: %v", row.why, err)
			continue
		}
		held, _ := fleet.Findings(0)
		if res.Verdict.ExitCode != row.code || fleet.recovered.Load() != row.back || len(res.Expectations) != len(row.expect)+len(held) {
			t.Errorf("%s: exit code %d, recovered %v, expectations %+v", row.why, res.Verdict.ExitCode, fleet.recovered.Load(), res.Expectations)
		}
		var figures timeline.Figures
		if json.Unmarshal(res.Elasticity, &figures) != nil || res.Timeline == nil {
			t.Errorf("%s: elasticity %s", row.why, res.Elasticity)
		}
		var scaled []float64
		for _, e := range res.Events {
			if e.Type == result.EventScaling {
				scaled = append(scaled, e.TS)
			}
		}
		if row.back && !slices.Equal(scaled, []float64{10, 22}) {
			t.Errorf("%s: scaling events at %v, want each activity once, at 10 and 22", row.why, scaled)
		}
		if row.stopping == nil && fleet.ended.Sub(fleet.began) != 20*time.Second {
			t.Errorf("%s: the service was told of %v of load, want 20 s", row.why, fleet.ended.Sub(fleet.began))
		}
		if told := strings.Contains(strings.Join(res.Warnings, "\n"), "task-3 died"); told != (row.failed != nil) {
			t.Errorf("%s: warnings %q", row.why, res.Warnings)
		}
	}
}

func TestExpectationsAreRefusedWhereNothingCanMeetThem(t *testing.T) {
	for _, row := range []struct {
		why      string
		capacity Capacity
		expect   string
		want     string
	}{
		{"nobody watches", nil, "max_tasks==4", "expect"},
		{"not of the grammar", &watched{}, "max_taks==4", "expect[0]"},
		{"what a task can do is not known", &watched{}, "time_under_provisioned<=1m", "expect[0]"},
	} {
		r := Runner{Plan: brief(), Transport: service(healthy), Capacity: row.capacity, Expect: []string{row.expect}}
		_, err := r.Run(context.Background())
		refused, ok := errors.AsType[*InputError](err)
		if !ok {
			t.Errorf("%s: %v", row.why, err)
			continue
		}
		if fields := input.Errors(refused.Err); len(fields) != 1 || !strings.HasPrefix(fields[0].Field, row.want) {
			t.Errorf("%s: %v", row.why, err)
		}
	}
}
