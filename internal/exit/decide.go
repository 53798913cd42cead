package exit

// Facts are what became of a run. Usage is not among them: where an input cannot be used nothing
// runs, and nothing else can be said.
type Facts struct {
	Interrupted     bool // by a signal or q
	RunError        bool // the run itself could not go on
	Unhealthy       bool // the verdict is INVALID; SUSPECT exits as if VALID
	ThresholdFailed bool
	Aborted         bool // --abort-on stopped the run
	ScalingNotMet   bool
	Regression      bool

	RequestsFailed   bool // any at all
	NothingSucceeded bool // no request at all
	OnError          Code // --exit-code-on-error; 0 when it was not given
	// Ruled: thresholds, expectations or an --exit-code-on-error, be it 0, say what is too many failures.
	Ruled bool
}

// Decide is the one rule for what a run exits with. If several facts hold it is the first of 105,
// 1, 96, 99, 97, 98. Requests that failed change it only when none of them holds and
// --exit-code-on-error was given, or when none succeeded and nobody said what is too many.
func Decide(f Facts) Status {
	switch {
	case f.Interrupted:
		return Interrupted.Status()
	case f.RunError:
		return RunError.Status()
	case f.Unhealthy:
		return Unhealthy.Status()
	case f.ThresholdFailed || f.Aborted:
		return ThresholdFailed.Status()
	case f.ScalingNotMet:
		return ScalingNotMet.Status()
	case f.Regression:
		return Regression.Status()
	case f.RequestsFailed && f.OnError != 0:
		return Status{Code: f.OnError, Name: failedRequests}
	case f.NothingSucceeded && !f.Ruled:
		return Status{Code: RunError, Name: nothingSucceeded}
	}
	return Passed.Status()
}
