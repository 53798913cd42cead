package loadgen

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
	"scalableappbackend/loadgen/validity"
)

// Rejudge gives the result of a run that was cut what only its end would have given it: the verdict on
// the generator and the thresholds, on what there is. What nobody wrote down, such as sends left
// behind, is not held against it. A result that is complete stays as it is.
func Rejudge(o *result.Opened) error {
	if !o.Cut {
		return nil
	}
	b, err := o.Builder()
	if err != nil {
		return err
	}
	res := o.Result
	thresholds, _, err := expressions(&o.Meta.Plan)
	if err != nil {
		return err
	}
	res.Health = summarise(b)
	res.Thresholds = evaluate(b, thresholds)
	level, reasons := validity.Judge(evidence(b, time.Duration(res.DurationS*float64(time.Second)), validity.Limits{
		CPUs: res.Generator.CPULimit, Source: res.Generator.CPULimitSource, Files: res.Generator.FileLimit,
		EphemeralPorts: result.Unknown(), MemoryBytes: res.Generator.MemoryLimitBytes,
	}))
	res.Verdict.Validity = result.Worst(res.Verdict.Validity, level)
	res.Verdict.Reasons = append(res.Verdict.Reasons, reasons...)
	return rejudgeCapacity(o)
}

// rejudgeCapacity holds a run that was cut to what was expected of capacity, as far as that was watched.
func rejudgeCapacity(o *result.Opened) error {
	res := o.Result
	if res.Timeline == nil {
		return nil
	}
	var seen []Seen
	for w, err := range o.Windows() {
		if err != nil {
			return err
		}
		if w.To > w.From {
			seen = append(seen, SeenIn(w))
		}
	}
	expected, err := expectations(o.Meta.Expect)
	if err != nil {
		return err
	}
	final := result.Final{Warnings: res.Warnings, Timeline: res.Timeline}
	perTask := perTaskOf(res)
	Judge(OfRun{&o.Meta.Plan, seen}, res.Timeline, perTask, expected, countsOf(&res.Totals)).into(&final)
	res.Timeline, res.Elasticity, res.Expectations, res.Warnings = final.Timeline, final.Elasticity, final.Expectations, final.Warnings
	return nil
}

// expectations parses what is expected of capacity. Its errors name expect's places.
func expectations(texts []string) (all []gate.Expr, err error) {
	var wrong []error
	for i, text := range texts {
		e, err := gate.ParseExpectation(text)
		wrong = append(wrong, input.WithField(err, fmt.Sprintf("expect[%d]", i)))
		all = append(all, e)
	}
	return all, errors.Join(wrong...)
}

// perTaskOf is what one task can do as a result says it: its timeline, or where that is of a version that did not say it,
// its figures. It is 0 when it is not known.
func perTaskOf(r *result.Result) float64 {
	if r.Timeline != nil && r.Timeline.PerTask > 0 {
		return r.Timeline.PerTask
	}
	var f timeline.Figures
	if json.Unmarshal(r.Elasticity, &f) == nil && f.Provisioning != nil {
		return f.Provisioning.PerTask
	}
	return 0
}

// expectedOf is what parts were expected to do, each expression once, and what a service was held to beside it, which cannot be judged
// anew: of several judgements of that the worst.
func expectedOf(parts []*result.Opened) (expect []string, held []result.Expectation) {
	for _, p := range parts {
		texts := p.Meta.Expect
		for _, e := range p.Result.Expectations {
			if _, err := gate.ParseExpectation(e.Expression); err == nil {
				texts = append(texts, e.Expression) // the parts of a sum, and results of versions that did not keep them
				continue
			}
			i := slices.IndexFunc(held, func(h result.Expectation) bool { return h.Expression == e.Expression })
			switch {
			case i < 0:
				held = append(held, e)
			case held[i].Passed && !e.Passed:
				held[i] = e
			}
		}
		for _, text := range texts {
			if !slices.Contains(expect, text) {
				expect = append(expect, text)
			}
		}
	}
	return expect, held
}

// meaning is the one spelling of a threshold; what cannot be read is compared as it was typed.
func meaning(expression string) string {
	e, err := gate.Parse(expression)
	if err != nil {
		return expression
	}
	return e.String()
}

// Merge adds up what several generators of one load left: see [Sum].
func Merge(parts []*result.Opened, sinks ...result.Sink) (*result.Result, error) {
	return Sum{Parts: parts}.Merge(sinks...)
}

// assemble makes a result of merged parts.
func (s Sum) assemble(merged *result.Merged, sinks []result.Sink) (*result.Result, error) {
	parts := s.Parts
	var held []result.Expectation
	merged.Meta.Expect, held = expectedOf(parts)
	merged.Final.Expectations = held
	for _, text := range s.Expect {
		if !slices.Contains(merged.Meta.Expect, text) {
			merged.Meta.Expect = append(merged.Meta.Expect, text)
		}
	}
	if t := merged.Final.Timeline; t != nil && t.PerTask == 0 {
		for _, p := range parts {
			t.PerTask = max(t.PerTask, perTaskOf(p.Result))
		}
	}
	sum, err := Assemble(merged.Meta, sinks...)
	if err != nil {
		return nil, err
	}
	if len(merged.Facts) > 0 {
		sum.Facts(&result.Facts{Until: merged.Final.Timeline.End, Facts: merged.Facts})
	}
	for w, err := range merged.Windows() {
		if err != nil {
			return nil, &InputError{err}
		}
		sum.Window(w)
	}
	res, err := sum.Finish(merged.Final, s.Broke)
	if err != nil {
		return res, fmt.Errorf("merge: %w", err)
	}
	return res, nil
}

// Assembly is a result that is put together of windows which were measured before, or by several runs.
type Assembly struct {
	builder    *result.Builder
	thresholds []gate.Expr
	expected   []gate.Expr
	watched    bool   // Facts were given, so that what was seen of the load is needed
	seen       []Seen // then
	sinks      []result.Sink
	failed     []error
}

// Assemble tells sinks of the result as a Runner does. An error of type *InputError means that nothing was written. The
// result has an ID of its own.
func Assemble(meta result.Meta, sinks ...result.Sink) (*Assembly, error) {
	thresholds, _, err := expressions(&meta.Plan)
	if err != nil {
		return nil, &InputError{err}
	}
	expected, err := expectations(meta.Expect)
	if err != nil {
		return nil, &InputError{err}
	}
	meta.ID = newID(time.Now())
	a := &Assembly{builder: result.NewBuilder(meta), thresholds: thresholds, expected: expected, sinks: sinks}
	for _, sink := range sinks {
		meta := *a.builder.Meta()
		if err := sink.Start(&meta); err != nil {
			return nil, &InputError{err}
		}
		if err := sink.Begin(&meta); err != nil {
			return nil, &InputError{err}
		}
	}
	return a, nil
}

// Window adds a window; they come in order.
func (a *Assembly) Window(w *result.Window) {
	a.builder.Add(w)
	if a.watched && w.To > w.From {
		a.seen = append(a.seen, SeenIn(w))
	}
	for _, sink := range a.sinks {
		if err := sink.Window(w); err != nil {
			a.failed = append(a.failed, err)
		}
	}
}

// Facts adds what was told of capacity, before the first window.
func (a *Assembly) Facts(f *result.Facts) {
	a.watched = true
	for _, sink := range a.sinks {
		if err := sink.Facts(f); err != nil {
			a.failed = append(a.failed, err)
		}
	}
}

// Finish closes the sinks and hands them the result, whose thresholds are judged on the sum, and its
// capacity where final has a timeline. final says the rest, but for health; broke is what kept the load from going on, nil for nothing. The Result is not nil beside an error, which
// is what the sinks could not do.
func (a *Assembly) Finish(final result.Final, broke error) (*result.Result, error) {
	for _, sink := range a.sinks {
		a.failed = append(a.failed, sink.Close())
	}
	final.Health = summarise(a.builder)
	final.Thresholds = evaluate(a.builder, a.thresholds)
	if t := final.Timeline; t != nil {
		all := a.builder.Result(final).Totals
		held := final.Expectations
		final.Expectations = nil
		Judge(OfRun{&a.builder.Meta().Plan, a.seen}, t, t.PerTask, a.expected, countsOf(&all)).into(&final)
		final.Expectations = append(final.Expectations, held...)
	}
	res := a.builder.Result(final)
	setExit(res, errors.Join(append(a.failed, broke)...))
	for _, sink := range a.sinks {
		a.failed = append(a.failed, sink.Finish(res))
	}
	failed := errors.Join(a.failed...)
	if failed != nil {
		res = a.builder.Result(final) // another one: the sinks have the first
		setExit(res, errors.Join(failed, broke))
	}
	return res, failed
}
