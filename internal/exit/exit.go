// Package exit holds what the programs of this repository exit with: one code for each kind of
// end, its name, and the one rule that chooses between several.
//
// It is the only place that knows the numbers; libraries return verdicts. It ends no process and
// prints nothing. docs/exit-codes.md is its [Markdown], and a test holds the two together.
package exit

import "strconv"

// Code is a process's exit code. Those of this package are a contract with scripts and pipelines.
type Code int

// The codes, all below 126, from where shells have meanings of their own.
const (
	Passed          Code = 0   // the run ended as planned and nothing that was asked of it failed
	RunError        Code = 1   // the run itself could not go on, or no request succeeded and nobody had said what is too many
	Usage           Code = 2   // an input cannot be used; nothing was started, nothing was written
	Unhealthy       Code = 96  // the numbers describe the generator, not the service: the verdict is INVALID
	ScalingNotMet   Code = 97  // capacity did not do what was expected of it
	Regression      Code = 98  // worse than what it was compared with
	ThresholdFailed Code = 99  // a --threshold failed, or --abort-on stopped the run
	Interrupted     Code = 105 // stopped by a signal or by q; what was measured is written and shown
)

// codes is the table of constants, by number; nothing writes to it.
var codes = [...]struct {
	code    Code
	name    string
	meaning string
}{
	{Passed, "passed", "The run ended as planned, and nothing that was asked of it failed."},
	{RunError, "run error", "The run itself could not go on. Also, as `no request succeeded`, a run without thresholds, expectations and `--exit-code-on-error` in which no request did."},
	{Usage, "usage", "An input cannot be used, a missing or foreign file included. Nothing was started, nothing was written."},
	{Unhealthy, "generator unhealthy", "The verdict is INVALID: the numbers describe the generator, not the service."},
	{ScalingNotMet, "scaling expectation not met", "Capacity did not do what was expected of it."},
	{Regression, "regression", "The result is worse than the one it was compared with."},
	{ThresholdFailed, "threshold failed", "A `--threshold` failed, or `--abort-on` stopped the run."},
	{Interrupted, "interrupted", "A signal or `q` stopped the run. What was measured is written and shown."},
}

// failedRequests is the name of the code that --exit-code-on-error gives, whatever its number.
const failedRequests = "failed requests"

// nothingSucceeded is the name of RunError when the run went on and no request succeeded.
const nothingSucceeded = "no request succeeded"

// String is the code's name, e.g. "threshold failed". A number that is none of the constants can
// only be that of --exit-code-on-error.
func (c Code) String() string {
	for _, row := range codes {
		if row.code == c {
			return row.name
		}
	}
	return failedRequests
}

// Status is the code with its name.
func (c Code) Status() Status { return Status{Code: c, Name: c.String()} }

// Line is the last line on stderr: "exit 99: threshold failed".
func (c Code) Line() string { return c.Status().Line() }

// Status is what a run ended with. The name is apart because --exit-code-on-error may give a number
// that has another meaning: Locust's own choice is 1, which is then no run error.
type Status struct {
	Code Code
	Name string
}

// Line is the last line on stderr: "exit 1: failed requests".
func (s Status) Line() string { return "exit " + strconv.Itoa(int(s.Code)) + ": " + s.Name }
