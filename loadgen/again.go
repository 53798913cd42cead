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
	thresholds, _, err := expressions(&merged.Meta.Plan)
	if err != nil {
		return nil, &InputError{err}
	}
	merged.Meta.ID = newID(time.Now())
	b := result.NewBuilder(merged.Meta)
	for _, sink := range sinks {
		if starter, ok := sink.(Starter); ok {
			if err := starter.Start(b.Meta()); err != nil {
				return nil, &InputError{err}
			}
		}
	}
	var failed []error
	for w, err := range merged.Windows() {
		if err != nil {
			return nil, &InputError{err}
		}
		b.Add(w)
		for _, sink := range sinks {
			failed = append(failed, sink.Window(w))
		}
	}
	for _, sink := range sinks {
		failed = append(failed, sink.Close())
	}

	final := merged.Final
	final.Health = summarise(b)
	final.Thresholds = evaluate(b, thresholds)
	res := b.Result(final)
	for _, sink := range sinks {
		setExit(res, errors.Join(failed...))
		if finisher, ok := sink.(result.Finisher); ok {
			failed = append(failed, finisher.Finish(res))
		}
	}
	if err := errors.Join(failed...); err != nil {
		setExit(res, err)
		return res, fmt.Errorf("merge: %w", err)
	}
	return res, nil
}
