package gate

import (
	"slices"
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/timeline"
)

// steadyAt is a service that has so many tasks from the fifth minute of a quarter of an hour on, and its minimum after it.
func steadyAt(tasks, high int) *timeline.Timeline {
	return &timeline.Timeline{Speedup: 1, Min: 2, Max: high, LoadTo: 15 * time.Minute, End: 30 * time.Minute, Points: []timeline.Point{
		{Desired: 2, Running: 2, Healthy: 2},
		{At: 4 * time.Minute, Desired: tasks, Running: 2, Healthy: 2},
		{At: 5 * time.Minute, Desired: tasks, Running: tasks, Healthy: tasks},
		{At: 29 * time.Minute, Desired: 2, Running: 2, Healthy: 2},
	}}
}

// The question that the default expectations ask, with what they say where it is answered with no.
func TestASupplyBelowDemandFailsAndSaysWhy(t *testing.T) {
	never := steadyAt(4, 6)
	never.Points = never.Points[:2] // and are never there
	slow := steadyAt(4, 6)
	slow.Points[2].At = 14 * time.Minute
	for _, row := range []struct {
		why    string
		line   *timeline.Timeline
		rate   float64 // requests/s; a task can do 120
		failed []string
		detail string
	}{
		{"fitted, below its maximum", steadyAt(5, 6), 390, nil, "at least 5 healthy of the 4 that the load needed"},
		{"at its maximum and enough", steadyAt(6, 6), 720, nil, "at least 6 healthy of the 6"},
		{"overloaded: 13 are needed and 6 allowed", steadyAt(6, 6), 1500, []string{"healthy>=demand at steady", "time_under_provisioned<=7m"},
			"at least 6 healthy of the 13 that the load needed: too few for 10m of the last 10m of the load; the maximum is 6, and 13 are needed (120.0/s each)"},
		{"below its maximum, and not enough", steadyAt(3, 6), 390, []string{"healthy>=demand at steady", "time_under_provisioned<=7m"}, "at least 3 healthy of the 4"},
		{"it never settled", never, 390, []string{"healthy>=demand at steady", "time_under_provisioned<=7m", "healthy==running at steady", "tasks==2 at end"}, "capacity did not settle under load"},
		{"no answer to the load at all", stay(6, nil), 390, []string{"healthy>=demand at steady", "time_under_provisioned<=7m"}, "at least 2 healthy of the 4"},
		{"ten times slower than its models", slow, 390, []string{"time_under_provisioned<=7m"}, "at least 4 healthy of the 4"},
	} {
		if row.why == "it never settled" {
			row.line.Points = append(row.line.Points, timeline.Point{At: 29 * time.Minute, Desired: 4, Running: 3, Healthy: 3})
		}
		load := timeline.Load{{To: 15 * time.Minute, Rate: row.rate}}
		figures := timeline.Compute(row.line, load, timeline.Capacity{PerTask: 120, Utilisation: 1})
		all := DefaultExpectations(Circumstances{Low: 2, High: 6, Demand: true, Recovery: true, Under: 7 * time.Minute})
		var failed []string
		for i, o := range Evaluate(all, Evidence{Timeline: row.line, Figures: figures, Counts: &Counts{Requests: 100}}) {
			if !o.Passed {
				failed = append(failed, o.Expression)
			}
			if i == 0 && !strings.Contains(o.Detail, row.detail) {
				t.Errorf("%s: %q, want %q in it", row.why, o.Detail, row.detail)
			}
		}
		if !slices.Equal(failed, row.failed) {
			t.Errorf("%s: failed %q, want %q", row.why, failed, row.failed)
		}
	}
	unknown := Evaluate([]Expr{mustExpect(t, "healthy>=demand at steady")}, Evidence{Timeline: steadyAt(5, 6), Figures: timeline.Compute(steadyAt(5, 6), nil, timeline.Capacity{})})
	if unknown[0].Passed || !strings.Contains(unknown[0].Detail, "demand") {
		t.Errorf("without a demand it is %+v", unknown[0])
	}
}

func TestDemandIsComparedWithHealthyTasksAlone(t *testing.T) {
	for text, ok := range map[string]bool{
		"healthy>=demand at steady": true, "demand<=healthy at steady": false, "healthy >= demand at end": false, "healthy>=demand": false,
		"healthy==demand at steady": false, "tasks>=demand at steady": false, "demand==4": false, "demand>=demand at steady": false,
	} {
		if e, err := ParseExpectation(text); (err == nil) != ok {
			t.Errorf("%q: %+v, %v", text, e, err)
		}
	}
}
