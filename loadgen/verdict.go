package loadgen

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"scalableappbackend/internal/exit"
	"scalableappbackend/internal/input"
	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/attack"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/measure"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/validity"
)

// expressions parses what a plan holds its run to. Its errors name the plan's fields.
func expressions(p *plan.Plan) (thresholds []gate.Expr, abort *gate.Expr, err error) {
	var wrong []error
	for i, text := range p.Thresholds {
		e, err := gate.Parse(text)
		wrong = append(wrong, input.WithField(err, fmt.Sprintf("thresholds[%d]", i)))
		thresholds = append(thresholds, e)
	}
	if p.AbortOn != "" {
		e, err := gate.Parse(p.AbortOn)
		wrong = append(wrong, input.WithField(err, "abort_on"))
		abort = &e
	}
	return thresholds, abort, errors.Join(wrong...)
}

// checkScopes refuses expressions about what the plan does not have.
func (s *session) checkScopes(abort *gate.Expr) error {
	has := gate.Has{Requests: true}
	for _, e := range s.plan.Endpoints {
		has.Endpoints = append(has.Endpoints, e.Name)
	}
	for _, p := range s.plan.Phases {
		has.Phases = append(has.Phases, p.Name)
	}
	typed := &s.plan.Plan
	var wrong []error
	for i, e := range s.thresholds {
		wrong = append(wrong, input.WithField(input.Typed(gate.Check(e, has), typed.Thresholds[i]), fmt.Sprintf("thresholds[%d]", i)))
	}
	if abort != nil {
		err := gate.Check(*abort, has)
		if err == nil {
			s.abort, err = gate.NewAbortRule(*abort, has.Endpoints)
		}
		wrong = append(wrong, input.WithField(input.Typed(err, typed.AbortOn), "abort_on"))
	}
	return errors.Join(wrong...)
}

// preflight refuses what this process could not do, while it can still be said in one line.
func preflight(p *plan.Plan, limits validity.Limits) error {
	connections, field := int(math.Ceil(p.Curve().Max())), "users"
	if p.Model == plan.Open {
		connections, field = p.MaxInFlight, "max_in_flight"
		if p.MaxInFlight == plan.DefaultMaxInFlight {
			connections = 0 // the default is there to bound a stall, not to be reached
		}
	}
	files := connections
	if p.Host == plan.Embedded {
		files *= 2 // both ends of each connection are in this process
	}
	err := errors.Join(validity.Preflight(limits, files, field), validity.PreflightPorts(limits, connections, field))
	if e, ok := errors.AsType[*validity.LimitError](err); ok {
		return &input.Error{Field: field, Want: strings.TrimPrefix(e.Error(), field+": ")}
	}
	return nil
}

// judge says whether the generator can be believed and which thresholds were kept.
func (s *session) judge(outcome attack.Outcome) result.Final {
	final := result.Final{
		Interrupted: s.interrupted,
		StoppedBy:   s.stoppedBy,
		Aborted:     s.aborted,
		Health:      summarise(s.builder),
		Thresholds:  evaluate(s.builder, s.thresholds),
		Warnings:    slices.Clone(s.plan.Warnings),
	}
	e := evidence(s.builder, outcome.DrainEnded, s.limits)
	e.Offered, e.OwnDrops = outcome.Offered, outcome.OwnDrops
	final.Verdict.Validity, final.Verdict.Reasons = s.verdict(e)
	return final
}

func summarise(b *result.Builder) result.HealthSummary {
	h := validity.Summarise(b.Health(), b.Lag(), b.SlotWait(), b.Clamped())
	h.Freezes, h.ClockJumps = b.Standstill().Summary()
	return h
}

// evidence is what a builder knows of its generator's condition.
func evidence(b *result.Builder, duration time.Duration, limits validity.Limits) validity.Evidence {
	e := validity.Evidence{Duration: duration, Seconds: b.Health(), Limits: limits, Lag: b.Lag(), SlotWait: b.SlotWait()}
	e.Closed = b.Meta().Plan.Model == plan.Closed
	e.Bench = b.Meta().Plan.Model == plan.Bench
	e.Offered, e.Sent = b.Counts()
	e.DescriptorFailures, e.PortFailures = ownFailures(b)
	e.Phases = b.PhaseLags()
	e.Load, e.Standstill = b.Loaded(), b.Standstill()
	e.Corrected = &result.Histogram{}
	for _, phase := range b.PhaseLags() {
		e.Corrected.Merge(phase.Corrected)
	}
	return e
}

// ownFailures counts requests that this machine made fail.
func ownFailures(b *result.Builder) (descriptors, ports int64) {
	for _, e := range b.Errors() {
		switch e.Kind {
		case measure.KindFiles.String():
			descriptors += e.Count
		case measure.KindPorts.String():
			ports += e.Count
		}
	}
	return descriptors, ports
}

// evaluate judges a plan's thresholds, each of which keeps the words in which it was typed.
func evaluate(b *result.Builder, thresholds []gate.Expr) []result.Outcome {
	outcomes := gate.Evaluate(thresholds, gate.Evidence{Requests: source{b}})
	for i, typed := range b.Meta().Plan.Thresholds {
		outcomes[i].Expression = typed
	}
	return outcomes
}

// source gives thresholds what a builder has summed up.
type source struct{ builder *result.Builder }

func (s source) Metrics(endpoint, phase string) (gate.Metrics, bool) {
	x, ok := s.builder.Select(endpoint, phase)
	if !ok {
		return gate.Metrics{}, false
	}
	m := gate.Metrics{
		Seconds: x.Seconds, Completed: x.Completed, Due: x.EndpointWindow,
		Ages:       result.Sum(x.Unanswered, x.Cut, x.Unsent.UnansweredAges, x.Unsent.CutAges),
		AgesRaw:    result.Sum(x.UnansweredRaw, x.CutRaw, x.Unsent.UnansweredAges, x.Unsent.CutAges),
		AgesCut:    result.Sum(x.Cut, x.Unsent.CutAges),
		AgesCutRaw: result.Sum(x.CutRaw, x.Unsent.CutAges),
	}
	if x.Ended {
		m.Unanswered = new(x.EndpointWindow.Unanswered.Count() + x.Unsent.UnansweredAges.Count())
		m.Cut = new(x.EndpointWindow.Cut.Count() + x.Unsent.CutAges.Count())
	}
	if endpoint == "" && phase == "" {
		offered, sent := s.builder.Counts()
		m.Offered, m.Sent, m.Dropped = &offered, &sent, s.builder.Dropped()
	}
	return m, true
}

// setExit writes into the result what the process is to exit with, and why where only it can tell. failed is what kept
// the run, or the keeping of its result, from going on.
func setExit(r *result.Result, failed error) {
	onError := r.Plan.ExitCodeOnError
	status := exit.Decide(exit.Facts{
		Interrupted:      r.Interrupted && r.StoppedBy != result.StoppedByCut,
		RunError:         failed != nil || r.StoppedBy == result.StoppedByCut,
		Unhealthy:        r.Verdict.Validity == result.Invalid,
		ThresholdFailed:  slices.ContainsFunc(r.Thresholds, func(o result.Outcome) bool { return !o.Passed }),
		Aborted:          r.Aborted,
		ScalingNotMet:    slices.ContainsFunc(r.Expectations, func(e result.Expectation) bool { return !e.Passed }),
		RequestsFailed:   r.Totals.Failures > 0,
		NothingSucceeded: nothingSucceeded(r),
		OnError:          exit.Code(value(onError)),
		Ruled:            len(r.Thresholds) > 0 || len(r.Expectations) > 0 || onError != nil,
	})
	r.Verdict.ExitCode, r.Verdict.ExitName = int(status.Code), status.Name
	if why := whyNothingSucceeded(r); nothingSucceeded(r) && !slices.Contains(r.Warnings, why) {
		r.Warnings = append(r.Warnings, why)
	}
}

// WithFailure is a result of which something that it was to be kept for failed when all else was done: it has a warning of that, and its exit
// code. r stays as it is.
func WithFailure(r *result.Result, failed error) *result.Result {
	with := *r
	with.Warnings = append(slices.Clone(r.Warnings), failed.Error())
	setExit(&with, failed)
	return &with
}

func value(n *int) int {
	if n == nil {
		return 0
	}
	return *n
}

func nothingSucceeded(r *result.Result) bool { return r.Totals.Requests == r.Totals.Failures }

// whyNothingSucceeded says how a run failed of which every request did: "no request succeeded: connection refused × 1,200".
func whyNothingSucceeded(r *result.Result) string {
	const most = 3 // ways to fail that are told
	errors := slices.Clone(r.Totals.Errors)
	slices.SortStableFunc(errors, func(a, b result.ErrorJSON) int { return cmp.Compare(b.Count, a.Count) })
	var ways []string
	for i, e := range errors {
		if i == most {
			ways = append(ways, "…")
			break
		}
		ways = append(ways, e.Message+" × "+units.Count(e.Count))
	}
	if n := r.Totals.Abandoned; n > 0 {
		ways = append(ways, "no answer × "+units.Count(n))
	}
	if len(ways) == 0 {
		ways = []string{"none was sent"}
	}
	return "no request succeeded: " + strings.Join(ways, ", ")
}
