package gate

import (
	"scalableappbackend/internal/input"
)

// Has is what a run will have for expectations to be about.
type Has struct {
	Requests bool // requests are sent: not in a simulation
	Demand   bool // it is known what one task can do
	Recovery bool // capacity is watched after the load has ended
}

// CheckExpectation refuses an expectation about what the run does not have, before anything is started. Its error is a
// *input.Error as of [Parse]. What the run has and may not reach, such as max_tasks==6 with a maximum of 3,
// is for the run to show.
func CheckExpectation(e Expectation, has Has) error {
	s, _, _ := subjectOf(e.Subject)
	if e.Against == Demand {
		s.needs = needDemand
	}
	want := ""
	switch {
	case s.needs == needRequests && !has.Requests:
		want = "an expectation about capacity: no request is sent, so none can be " + map[Subject]string{Errors: "an error", Resent: "sent twice"}[e.Subject]
	case s.needs == needDemand && !has.Demand:
		want = "--task-capacity as well: without it the number of tasks that the load needs is not known"
	case s.needs == needRecovery && !has.Recovery:
		want = "a recovery to watch: this run ends with its load"
	default:
		return nil
	}
	return &input.Error{Got: e.String(), Want: want}
}
