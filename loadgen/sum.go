package loadgen

import (
	"errors"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// Sum is results of several generators of one load that are to be one.
type Sum struct {
	Parts []*result.Opened
	// Broke is what kept the load as a whole from going on, though its parts may be sound: a generator that left nothing. The sum is a run
	// error then. Nil for nothing.
	Broke error
	// Interrupted is who or what stopped the load, when somebody did; the sum is interrupted then, whatever its parts say.
	Interrupted string
	// Warnings are what the reader of the sum should know beside those of the parts.
	Warnings []string

	// Facts are what was told of capacity until Until, where the load as a whole was watched by somebody beside the parts, on the clock of
	// the part that began first; Expect is what capacity is expected to do.
	Facts  []timeline.Fact
	Until  time.Duration
	Expect []string
}

// Merge adds the parts up, as if one generator had made the load, and hands the sum to sinks as a Runner does. Thresholds are judged
// on the sum; the verdict is the worst of the parts'. An error of type *InputError means that the parts cannot be added up, and
// that nothing was written.
func (s Sum) Merge(sinks ...result.Sink) (*result.Result, error) {
	merged, err := result.Merge(s.Parts, meaning)
	if err != nil {
		return nil, &InputError{err}
	}
	if s.Interrupted != "" {
		merged.Final.Interrupted = true
		if by := merged.Final.StoppedBy; by == "" || by == result.StoppedByCut {
			merged.Final.StoppedBy = s.Interrupted
		}
	}
	merged.Final.Warnings = append(merged.Final.Warnings, s.Warnings...)
	if s.Broke != nil {
		merged.Final.Warnings = append(merged.Final.Warnings, s.Broke.Error())
	}
	if len(s.Facts) > 0 {
		var ledger timeline.Ledger
		ledger.Tell(merged.Facts...)
		ledger.Tell(s.Facts...)
		merged.Facts, merged.Final.Timeline = ledger.Facts(), ledger.Timeline(s.Until)
		merged.Final.Warnings = append(merged.Final.Warnings, ledger.Warnings()...)
	}
	return s.assemble(merged, sinks)
}

// Check says what is wrong with a plan that is to be run elsewhere, with everything that does not depend on the machine that runs it:
// thresholds and their scopes, targets, files. It returns the names in the statistics; none where they depend on variables that
// lookup, which may be nil, does not know.
func Check(p *plan.Plan, lookup func(string) (string, bool)) ([]plan.Endpoint, error) {
	thresholds, abort, err := expressions(p)
	if err := errors.Join(p.Validate(), err); err != nil {
		return nil, err
	}
	unknown := false
	stand := func(name string) (string, bool) {
		if lookup != nil {
			if value, ok := lookup(name); ok {
				return value, true
			}
		}
		unknown = true
		return "x", true
	}
	base := ""
	if p.Host == plan.Embedded {
		base = "http://127.0.0.1"
	}
	s := &session{thresholds: thresholds}
	if s.plan, err = p.Prepare(base, stand); err != nil || unknown {
		if unknown {
			return nil, nil // whoever runs it knows more
		}
		return nil, err
	}
	return s.plan.Endpoints, s.checkScopes(abort)
}
