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

	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/plan"
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
func (r *Runner) expect() (expectations []gate.Expectation, err error) {
	if len(r.Expect) == 0 {
		return nil, nil
	}
	if r.Capacity == nil {
		return nil, &plan.FieldError{Field: "expect", Want: "a run whose capacity is watched"}
	}
	_, known := r.Capacity.TaskCapacity()
	var wrong []error
	for i, text := range r.Expect {
		e, err := gate.ParseExpectation(text)
		if err == nil {
			err = gate.CheckExpectation(e, gate.Has{Requests: true, Demand: known, Recovery: true})
		}
		wrong = append(wrong, plan.WithField(err, fmt.Sprintf("expect[%d]", i)))
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
	figures := timeline.Compute(t, s.demanded(), timeline.Capacity{PerTask: perTask, Utilisation: Utilisation})
	data, err := json.Marshal(figures)
	if err != nil {
		final.Warnings = append(final.Warnings, "elasticity: "+err.Error())
	}
	final.Timeline, final.Elasticity = t, data

	all, _ := s.builder.Select("", "")
	drain, _ := s.builder.Select("", plan.Drain)
	counts := gate.Counts{
		Requests: all.Requests + drain.Requests, Errors: all.Failures + drain.Failures, Retried: all.Retried + drain.Retried,
	}
	for _, o := range gate.EvaluateExpectations(s.expectations, t, figures, &counts) {
		final.Expectations = append(final.Expectations, result.Expectation(o))
	}
	judged, warnings := s.capacity.Findings()
	final.Expectations = append(final.Expectations, judged...)
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

// demandOver is how long a stretch of load is whose rate asks for a number of tasks: in a single second of 400 random
// requests chance alone moves the rate by 5 %.
const demandOver = 5 * time.Second

// loadStep is a window's part of the load that demand is told from.
type loadStep struct {
	timeline.Step
	answer time.Duration // mean raw latency in it; 0 without a success
}

// step adds a window to the load.
func (s *session) step(w *result.Window) {
	if s.capacity == nil || w.To <= w.From {
		return
	}
	step := loadStep{Step: timeline.Step{From: w.From, To: w.To, Rate: float64(w.Offered) / w.Seconds()}}
	var raw result.Histogram
	for i := range w.Endpoints {
		step.Requests += w.Endpoints[i].Requests
		step.Errors += w.Endpoints[i].Failures
		raw.Merge(w.Endpoints[i].Raw)
	}
	step.answer = raw.Mean()
	s.load = append(s.load, step)
}

// demanded is the load that capacity was to carry. An open rate is that as it stands. Users who wait for a slow answer do not
// send meanwhile, so what they sent under-states what they were ready to send, just when capacity is short: their
// demand is users ÷ (pause + answer), with the fastest second's mean answer, or users ÷ pacing.
func (s *session) demanded() timeline.Load {
	p := &s.plan.Plan
	cycle := time.Duration(p.Pacing)
	if p.Model == plan.Closed && cycle == 0 {
		fastest := time.Duration(0)
		for _, step := range s.load {
			if step.answer > 0 && (fastest == 0 || step.answer < fastest) {
				fastest = step.answer
			}
		}
		if fastest > 0 {
			cycle = p.Think.Mean() + fastest
		}
	}
	load := make(timeline.Load, 0, len(s.load))
	for _, step := range s.load {
		if length := step.To - step.From; cycle > 0 && step.From < s.plan.End() {
			users := (s.plan.Curve.Integral(step.To) - s.plan.Curve.Integral(step.From)) / length.Seconds()
			step.Rate = max(step.Rate, users/cycle.Seconds())
		}
		load = append(load, step.Step)
	}
	return load.Coalesce(demandOver)
}
