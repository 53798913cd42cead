package report

import (
	"cmp"
	"io"
	"strings"

	"scalableappbackend/internal/exit"
	"scalableappbackend/internal/junit"
	"scalableappbackend/loadgen/result"
)

// JUnit writes what was judged as test cases: that the generator was fit to measure, that the run came to its end, each
// threshold and each expectation. A case fails exactly where the run's exit code is not 0. What an INVALID run's thresholds
// passed is skipped: it is no claim.
func JUnit(w io.Writer, in Input) error {
	r := in.Result
	suite := junit.Suite{
		Name: strings.TrimSpace("loadgen " + r.Name), Host: r.Generator.Hostname, At: r.StartedAt, Seconds: r.DurationS,
		Properties: [][2]string{{"id", r.ID}, {"schema", r.Schema}, {"validity", string(r.Verdict.Validity)}, {"exit", statusOf(r).Line()}},
		Cases:      []junit.Case{validityCase(r), endCase(r)},
		Out:        []string{load(r), sum(r, in.Expectations)},
	}
	for _, x := range r.Verdict.Reasons {
		suite.Out = append(suite.Out, string(cmp.Or(x.Level, result.Valid))+": "+withAdvice(x))
	}
	for _, kind := range []struct {
		word string
		all  []result.Outcome
	}{{"threshold", r.Thresholds}, {"expectation", in.Expectations}} {
		for _, o := range kind.all {
			c := junit.Case{Class: "loadgen." + kind.word, Name: o.Expression}
			text := spaced(o.Expression) + ": " + seen(o)
			switch {
			case !o.Passed:
				c.Outcome, c.Type, c.Text = junit.Failed, kind.word, text
			case !claims(r):
				c.Outcome, c.Text = junit.Skipped, "the generator was not fit to measure; it saw: "+text
			}
			suite.Cases = append(suite.Cases, c)
			suite.Out = append(suite.Out, text)
		}
	}
	return junit.Write(w, suite)
}

func validityCase(r *result.Result) junit.Case {
	c := junit.Case{Class: "loadgen.validity", Name: "the generator is fit to measure"}
	if claims(r) {
		return c
	}
	var reasons []string
	for _, x := range r.Verdict.Reasons {
		if x.Level == result.Invalid {
			reasons = append(reasons, withAdvice(x))
		}
	}
	c.Outcome, c.Type, c.Text = junit.Failed, string(result.Invalid), cmp.Or(strings.Join(reasons, "; "), string(result.Invalid))
	return c
}

// endCase fails where the run is not whole, and for an exit code that no other case stands for.
func endCase(r *result.Result) junit.Case {
	c := junit.Case{Class: "loadgen.run", Name: "the run came to its end", Seconds: r.DurationS}
	text := shortened(r)
	if text == "" {
		switch status := statusOf(r); status {
		case exit.Passed.Status(), exit.Unhealthy.Status(), exit.ThresholdFailed.Status(), exit.ScalingNotMet.Status(), exit.Regression.Status():
			return c
		default:
			text = status.Line()
		}
	}
	c.Outcome, c.Type, c.Text = junit.Failed, "run", text
	return c
}

func statusOf(r *result.Result) exit.Status {
	return exit.Status{Code: exit.Code(r.Verdict.ExitCode), Name: r.Verdict.ExitName}
}
