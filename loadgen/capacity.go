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

// Capacity is a source of capacity: a service that is watched while load is on it, and until it has come back. A lab is one; what
// reads a timeline from elsewhere will be another.
type Capacity interface {
	// LoadBegan says at which moment the run's clock reads 0, LoadEnded when sending ended.
	LoadBegan(at time.Time)
	LoadEnded(at time.Time)
	// AwaitRecovery waits until capacity has come to rest at its minimum, or was given enough time to. Its error is ctx's.
	AwaitRecovery(ctx context.Context) (atMin bool, err error)
	// Facts are what has become known since the last call, on the run's clock, of the Service first. They may be late, out of
	// order and told again: a fact's identity says which it is, and the state that was known last holds. Facts is called a
	// few times a second from one goroutine, also during AwaitRecovery, and answers at once.
	Facts() []timeline.Fact
	// TaskCapacity is what one task can do, in requests/s on the run's clock, when it is known.
	TaskCapacity() (perSecond float64, ok bool)
	// Findings are what the service holds itself to whatever else is expected of it (that none of its programs crashed,
	// say), judged, and what it has to warn of. The mean answer of the run is 0 when nothing was answered.
	Findings(answer time.Duration) (judged []result.Expectation, warnings []string)
}

// factsEvery is how often a source of capacity is asked what has become known.
const factsEvery = 200 * time.Millisecond

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

// learn asks what has become known of capacity and hands it on. What happened goes with the next window, or after the
// last one with the facts.
func (s *session) learn() {
	if s.capacity == nil {
		return
	}
	news := &result.Facts{Until: s.attack.Elapsed()}
	facts := s.capacity.Facts()
	for i, f := range facts {
		// What a task can do is kept with the service, for who judges the run again.
		if perTask, ok := s.capacity.TaskCapacity(); ok && f.Service != nil && f.Service.PerTask == 0 {
			service := *f.Service
			service.PerTask = perTask
			facts[i].Service = &service
		}
	}
	news.Facts = s.ledger.Tell(facts...)
	s.watched = news.Until
	happened := s.happened(news.Facts)
	if s.recovering {
		news.Events = happened
		for _, e := range happened {
			s.builder.AddEvent(e)
		}
	} else {
		s.pending = append(s.pending, happened...)
	}
	s.sinks.Facts(news)
}

// happened is what of news is an event of the run: a scaling activity, one that did not come about, and events of
// the service such as chaos. Each is told once, however often it is heard of.
func (s *session) happened(news []timeline.Fact) []result.Event {
	var events []result.Event
	for _, f := range news {
		var e result.Event
		switch {
		case f.Gone: // it stands in no timeline; an event that was written is not taken back
			continue
		case f.Activity != nil:
			a := f.Activity
			e = result.Event{At: a.At, Type: result.EventScaling, Detail: a.Description + " Cause: " + a.Cause}
			if a.Status == timeline.NotScaled {
				e.Type, e.Detail = result.EventNotScaled, strings.Join(a.NotScaledReasons, ", ")+": "+a.Cause
			}
		case f.Event != nil:
			e = result.Event(*f.Event)
		default:
			continue
		}
		if id := f.Kind() + " " + f.ID; !s.heard[id] {
			s.heard[id] = true
			events = append(events, e)
		}
	}
	slices.SortStableFunc(events, func(a, b result.Event) int { return cmp.Compare(a.At, b.At) })
	return events
}

// recover waits for capacity to come back after the load, and hands on what becomes known meanwhile.
func (s *session) recover(ctx context.Context, final *result.Final) {
	if s.capacity == nil {
		return
	}
	s.learn()
	s.recovering = true
	if !s.interrupted {
		back := make(chan error, 1)
		go func() {
			_, err := s.capacity.AwaitRecovery(ctx)
			back <- err
		}()
		tick := time.NewTicker(factsEvery)
		defer tick.Stop()
		for waiting := true; waiting; {
			select {
			case <-tick.C:
				s.learn()
			case err := <-back:
				waiting = false
				if err != nil {
					s.stoppedBy, s.interrupted = context.Cause(ctx).Error()+" during recovery", true
					final.StoppedBy, final.Interrupted = s.stoppedBy, true
				}
			}
		}
	}
	s.learn()
}

// judgeCapacity adds to the result what capacity did, and how it is judged.
func (s *session) judgeCapacity(final *result.Final) {
	if s.capacity == nil {
		return
	}
	perTask, _ := s.capacity.TaskCapacity()
	all := s.builder.Result(*final).Totals
	final.Timeline = s.ledger.Timeline(s.watched)
	if final.Timeline != nil {
		final.Timeline.PerTask = perTask
	}
	Judge(OfRun{s.current(), s.seen}, final.Timeline, perTask, s.expectations, countsOf(&all)).into(final)
	found, warnings := s.capacity.Findings(s.answers.Mean())
	final.Expectations = append(final.Expectations, found...)
	final.Warnings = slices.Concat(final.Warnings, s.ledger.Warnings(), warnings)
}

// countsOf are the requests that expectations may be about.
func countsOf(all *result.Totals) *gate.Counts {
	return &gate.Counts{Requests: all.Requests, Errors: all.Failures + result.Known(all.Unanswered), Retried: all.Retried}
}

// into adds a judgement to a result. One of a timeline that cannot be is none, and says so.
func (j Judged) into(final *result.Final) {
	final.Warnings = append(final.Warnings, j.Warnings...)
	for _, o := range j.Expectations {
		final.Expectations = append(final.Expectations, result.Expectation(o))
	}
	if !j.Known {
		final.Timeline = nil
		return
	}
	data, err := json.Marshal(j.Figures)
	if err != nil {
		final.Warnings = append(final.Warnings, "elasticity: "+err.Error())
	}
	final.Elasticity = data
}
