package loadgen

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	// Err is the failure of the service itself that nobody caused, if there was one.
	Err() error
}

// Utilisation is the share of what a task can do that it is to be loaded with, where demand in tasks is told: above
// it, waiting in a task's queue takes longer than the service itself does (M/M/1: ρ/(1−ρ) service times, 1 at a half).
const Utilisation = 0.5

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
	if ctx.Err() == nil {
		if _, err := s.capacity.AwaitRecovery(ctx); err != nil {
			s.stoppedBy, s.interrupted = context.Cause(ctx).Error()+" during recovery", true
			final.StoppedBy, final.Interrupted = s.stoppedBy, true
		}
	}
	t := s.capacity.Timeline()
	perTask, _ := s.capacity.TaskCapacity()
	figures := timeline.Compute(t, s.load.Coalesce(demandOver), timeline.Capacity{PerTask: perTask, Utilisation: Utilisation})
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
	if err := s.capacity.Err(); err != nil {
		final.Warnings = append(final.Warnings, err.Error())
	}
}

// demandOver is how long a stretch of load is whose rate asks for a number of tasks: in a single second of 400 random
// requests chance alone moves the rate by 5 %.
const demandOver = 5 * time.Second

// step adds a window to the load that demand is told from.
func (s *session) step(w *result.Window) {
	if s.capacity == nil || w.To <= w.From {
		return
	}
	step := timeline.Step{From: w.From, To: w.To, Rate: float64(w.Offered) / w.Seconds()}
	for i := range w.Endpoints {
		step.Requests += w.Endpoints[i].Requests
		step.Errors += w.Endpoints[i].Failures
	}
	s.load = append(s.load, step)
}
