package gate

import (
	"slices"
	"strconv"
	"strings"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/near"
	"scalableappbackend/loadgen/plan"
)

// few is how many names an error lists.
const few = 6

// Has is what a run will have for expressions to be about.
type Has struct {
	Endpoints, Phases []string // the scopes of thresholds

	Requests bool // requests are sent: not in a simulation
	Demand   bool // it is known what one task can do
	Recovery bool // capacity is watched after the load has ended
}

// Check refuses an expression about what the run does not have, before anything is started. Its error is a *input.Error
// as of [Parse]. What the run has and may not reach, such as max_tasks==6 with a maximum of 3, is for the run to show.
func Check(e Expr, has Has) error {
	s := e.row()
	if e.Against == Demand {
		s.needs = needDemand
	}
	phases := slices.DeleteFunc(slices.Clone(has.Phases), plan.Idle)
	want := ""
	switch {
	case e.Phase == plan.Drain:
		want = "a phase other than drain: what is answered in it counts for the phase in which it was due"
	case e.Phase == plan.Held:
		want = "a phase other than held: nothing is due in it"
	case e.Endpoint != "" && !slices.Contains(has.Endpoints, e.Endpoint):
		want = wantName("an endpoint of the targets", "targets", e.Endpoint, has.Endpoints)
	case e.Phase != "" && !slices.Contains(phases, e.Phase):
		want = wantName("a phase of the plan", "phases", e.Phase, phases)
	case s.needs == needRequests && !has.Requests:
		want = "an expectation about capacity: no request is sent, so none can be " + map[Subject]string{Errors: "an error", Retried: "sent twice"}[e.Subject]
	case s.needs == needDemand && !has.Demand:
		want = "--task-capacity as well: without it the number of tasks that the load needs is not known"
	case s.needs == needRecovery && !has.Recovery:
		want = "a recovery to watch: this run ends with its load"
	default:
		return nil
	}
	return &input.Error{Got: e.String(), Want: want}
}

// wantName is the near name, or the names when they are few.
func wantName(what, plural, got string, names []string) string {
	var distinct []string
	for _, n := range names {
		if !slices.Contains(distinct, n) {
			distinct = append(distinct, n)
		}
	}
	if name, ok := near.Near(got, distinct); ok {
		return input.Quote(name) + " instead of " + input.Quote(got)
	}
	if len(distinct) > few {
		return what + " instead of " + input.Quote(got) + " (there are " + strconv.Itoa(len(distinct)) + " " + plural + ")"
	}
	for i, n := range distinct {
		distinct[i] = input.Quote(n)
	}
	return what + " instead of " + input.Quote(got) + ": " + strings.Join(distinct, ", ")
}
