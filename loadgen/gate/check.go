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

// Check refuses an expression whose scope the plan does not have, before anything is sent. Its
// error is a *input.Error as of [Parse].
func Check(e Expr, endpoints, phases []string) error {
	phases = slices.DeleteFunc(slices.Clone(phases), func(p string) bool { return p == plan.Drain })
	want := ""
	switch {
	case e.Phase == plan.Drain:
		want = "a phase other than drain: what is answered in it counts for the phase in which it was due"
	case e.Endpoint != "" && !slices.Contains(endpoints, e.Endpoint):
		want = wantName("an endpoint of the targets", "targets", e.Endpoint, endpoints)
	case e.Phase != "" && !slices.Contains(phases, e.Phase):
		want = wantName("a phase of the plan", "phases", e.Phase, phases)
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
