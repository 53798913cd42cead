package report

import (
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

func TestALoadThatWasEditedIsCalledSo(t *testing.T) {
	users := plan.Default()
	users.Edits = []plan.Edit{{At: 20 * time.Second, Field: plan.EditUsers, Value: 80}}
	rate := plan.DefaultOpen()
	rate.Rate, rate.RunTime = plan.Rate{N: 100}, plan.Duration(time.Minute)
	rate.Edits = []plan.Edit{{At: time.Second, Field: plan.EditRate, Value: 10}, {At: 2 * time.Second, Field: plan.EditRunTime, Value: 30}}
	fewer := plan.Default()
	fewer.Edits = []plan.Edit{{At: time.Second, Field: plan.EditUsers, Value: 3}} // before the others have spawned
	for _, row := range []struct {
		why, want string
		p         plan.Plan
	}{
		{"more users", "up to 80 users for 3m on http://localhost, with 1 edit", users},
		{"a lower rate", "up to 100 requests/s for 30s on http://localhost, with 2 edits", rate},
		{"fewer users", "up to 5 users for 3m on http://localhost, with 1 edit", fewer},
	} {
		row.p.Host = "http://localhost"
		r := &result.Result{Plan: row.p}
		end := row.p.Length().Seconds()
		r.Phases = []result.Phase{{Name: plan.Steady, ToS: end}, {Name: plan.Drain, FromS: end, ToS: end}}
		r.DurationS = end
		r.Totals.Sent = 1
		if got := load(r); got != row.want {
			t.Errorf("%s: %q, want %q", row.why, got, row.want)
		}
		if got := neverRan(r); strings.Contains(got, "never") {
			t.Errorf("%s: %q", row.why, got)
		}
	}
}
