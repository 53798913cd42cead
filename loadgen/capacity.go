package loadgen

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// Capacity is a service whose capacity is watched while the load is on it, and until it has come back. A lab is
// one; what reads a timeline from elsewhere will be another.
type Capacity interface {
	// LoadBegan says at which moment the run's clock reads 0, LoadEnded when sending ended.
	LoadBegan(at time.Time)
	LoadEnded(at time.Time)
	// AwaitRecovery waits until capacity has come to rest at its minimum, or was given enough time to. Its error is ctx's.
	AwaitRecovery(ctx context.Context) (atMin bool, err error)
	// Timeline is what capacity did so far, on the run's clock.
	Timeline() *timeline.Timeline
	// TaskCapacity is what one task can do, in requests/s on the run's clock, when it is known.
	TaskCapacity() (perSecond float64, ok bool)
	// Findings are what the service holds itself to whatever else is expected of it (that none of its programs crashed,
	// say), judged, and what it has to warn of.
	Findings() (judged []result.Expectation, warnings []string)
}

// Utilisation is the share of what a task can do that it may be loaded with, where demand in tasks is told. At 1 a service
// is under-provisioned exactly while more is offered than it can do at all, when its queues grow for as long as that
// lasts. A lower share would be a wish about latency, which thresholds are for.
const Utilisation = 1

// expect parses what capacity is expected to do. Its errors name Expect's places: expect[0].
func (r *Runner) expect() (expectations []gate.Expr, err error) {
	if len(r.Expect) == 0 {
		return nil, nil
	}
	if r.Capacity == nil {
		return nil, &input.Error{Field: "expect", Want: "a run whose capacity is watched"}
	}
	_, known := r.Capacity.TaskCapacity()
	var wrong []error
	for i, text := range r.Expect {
		e, err := gate.ParseExpectation(text)
		if err == nil {
			err = input.Typed(gate.Check(e, gate.Has{Requests: true, Demand: known, Recovery: true}), text)
		}
		wrong = append(wrong, input.WithField(err, fmt.Sprintf("expect[%d]", i)))
		expectations = append(expectations, e)
	}
	return expectations, errors.Join(wrong...)
}

// watch waits for capacity to come back after the load, and adds to the result what it did meanwhile and before.
func (s *session) watch(ctx context.Context, final *result.Final) {
	if s.capacity == nil {
		return
	}
	if !s.interrupted {
		if _, err := s.capacity.AwaitRecovery(ctx); err != nil {
			s.stoppedBy, s.interrupted = context.Cause(ctx).Error()+" during recovery", true
			final.StoppedBy, final.Interrupted = s.stoppedBy, true
		}
	}
	for _, e := range s.happened() {
		s.builder.AddEvent(e)
	}
	t := s.capacity.Timeline()
	perTask, _ := s.capacity.TaskCapacity()
	all := s.builder.Result(*final).Totals
	counts := gate.Counts{Requests: all.Requests, Errors: all.Failures + result.Known(all.Unanswered), Retried: all.Retried}
	judged := Judge(s.current(), s.seen, t, perTask, s.expectations, &counts)
	data, err := json.Marshal(judged.Figures)
	if err != nil {
		final.Warnings = append(final.Warnings, "elasticity: "+err.Error())
	}
	final.Timeline, final.Elasticity = t, data
	for _, o := range judged.Expectations {
		final.Expectations = append(final.Expectations, result.Expectation(o))
	}
	found, warnings := s.capacity.Findings()
	final.Expectations = append(final.Expectations, found...)
	final.Warnings = append(final.Warnings, warnings...)
}

// happened is what capacity did since the last time: scaling activities, those that did not come about, and events of
// the service such as chaos.
func (s *session) happened() []result.Event {
	if s.capacity == nil {
		return nil
	}
	t := s.capacity.Timeline()
	var events []result.Event
	for _, a := range t.Activities[min(s.activities, len(t.Activities)):] {
		e := result.Event{At: a.At, Type: result.EventScaling, Detail: a.Description + " Cause: " + a.Cause}
		if a.Status == timeline.NotScaled {
			e.Type, e.Detail = result.EventNotScaled, strings.Join(a.NotScaledReasons, ", ")+": "+a.Cause
		}
		events = append(events, e)
	}
	for _, e := range t.Events[min(s.incidents, len(t.Events)):] {
		events = append(events, result.Event(e))
	}
	s.activities, s.incidents = len(t.Activities), len(t.Events)
	slices.SortStableFunc(events, func(a, b result.Event) int { return cmp.Compare(a.At, b.At) })
	return events
}
