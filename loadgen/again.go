package loadgen

import (
	"errors"
	"fmt"
	"time"

	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/result"
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
	return nil
}

// meaning is the one spelling of a threshold; what cannot be read is compared as it was typed.
func meaning(expression string) string {
	e, err := gate.Parse(expression)
	if err != nil {
		return expression
	}
	return e.String()
}

// Merge adds up what several generators of one load left, as if one had made it all, and hands it to sinks as a
// Runner does. Thresholds are judged on the sum; the verdict is the worst of the parts'. An error of type
// *InputError means that the parts cannot be added up, and that nothing was written.
func Merge(parts []*result.Opened, sinks ...result.Sink) (*result.Result, error) {
	merged, err := result.Merge(parts, meaning)
	if err != nil {
		return nil, &InputError{err}
	}
	sum, err := Assemble(merged.Meta, sinks...)
	if err != nil {
		return nil, err
	}
	for w, err := range merged.Windows() {
		if err != nil {
			return nil, &InputError{err}
		}
		sum.Window(w)
	}
	res, err := sum.Finish(merged.Final, nil)
	if err != nil {
		return res, fmt.Errorf("merge: %w", err)
	}
	return res, nil
}

// Assembly is a result that is put together of windows which were measured before, or by several runs.
type Assembly struct {
	builder    *result.Builder
	thresholds []gate.Expr
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
	meta.ID = newID(time.Now())
	a := &Assembly{builder: result.NewBuilder(meta), thresholds: thresholds, sinks: sinks}
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
	for _, sink := range a.sinks {
		if err := sink.Window(w); err != nil {
			a.failed = append(a.failed, err)
		}
	}
}

// Finish closes the sinks and hands them the result, whose thresholds are judged on the sum. final says the rest, but
// for health; broke is what kept the load from going on, nil for nothing. The Result is not nil beside an error, which
// is what the sinks could not do.
func (a *Assembly) Finish(final result.Final, broke error) (*result.Result, error) {
	for _, sink := range a.sinks {
		a.failed = append(a.failed, sink.Close())
	}
	final.Health = summarise(a.builder)
	final.Thresholds = evaluate(a.builder, a.thresholds)
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
