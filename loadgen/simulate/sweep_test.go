package simulate

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/autoscaling"
)

func TestSweepsAreRead(t *testing.T) {
	for _, row := range []struct {
		text    string
		setting string
		values  []float64
		why     string
	}{
		{"target=25..400", "target", []float64{25, 50, 100, 200, 400}, "targets double"},
		{"requests=1000..5040", "requests", []float64{1000, 2000, 4000, 5040}, "the end is among them"},
		{"cpu=30..70:10", "cpu", []float64{30, 40, 50, 60, 70}, "or go by a step"},
		{"cpu=0.1..2.2:0.7", "cpu", []float64{0.1, 0.8, 1.5, 2.2}, "as people write it, and the end once, whatever float64 makes of a step"},
		{"max=2..5", "max", []float64{2, 3, 4, 5}, "tasks go by one"},
		{"min=0..6:4", "min", []float64{0, 4, 6}, "or by a step"},
		{"cpu=30..70", "cpu", []float64{30, 40, 50, 60, 70}, "percents grow by ten"},
		{"period=60,20", "period", []float64{20, 60}, "a list, in order"},
		{"metric-delay=0s,1m,90s", "metric-delay", []float64{0, 60, 90}, "times are durations or seconds"},
		{"deregistration-delay=30s..300s", "deregistration-delay", []float64{30, 60, 120, 240, 300}, "times double"},
		{" target = 50 .. 50 ", "target", []float64{50}, "one value is a sweep"},
	} {
		got, err := ParseSweep(row.text)
		if err != nil || got.Setting != row.setting || !slices.Equal(got.Values, row.values) {
			t.Errorf("%q: %+v, %v, want %v: %s", row.text, got, err, row.values, row.why)
		}
	}
}

func TestSweepsThatCannotBeAreRefusedInOneLine(t *testing.T) {
	const want = "want SETTING=FROM..TO, SETTING=FROM..TO:STEP or SETTING=A,B,…, e.g. target=25..400 or period=20,60"
	for _, row := range []struct{ text, want, hint string }{
		{"", "empty, " + want, ""},
		{"target", `"target": ` + want, ""},
		{"target=5", `"target=5": ` + want, ""},
		{"target=a..b", `"target=a..b": ` + want, ""},
		{"target=1...5", `"target=1...5": ` + want, ""},
		{"targets=1..5", `"targets=1..5": want a setting that is one of: cooldown-in, cooldown-out, cpu, deregistration-delay, initial, max, memory, metric-delay, min, period, requests, target, task-capacity, task-start`, "did you mean target?"},
		{"users=1..5", `"users=1..5": want a setting that is one of: cooldown-in, cooldown-out, cpu, deregistration-delay, initial, max, memory, metric-delay, min, period, requests, target, task-capacity, task-start`, ""},
		{"target=400..25", `"target=400..25": want FROM..TO with FROM not above TO`, ""},
		{"target=0..5", `"target=0..5": want targets above 0`, ""},
		{"max=2..5.5", `"max=2..5.5": want whole numbers of tasks, 0 to 5000`, ""},
		{"max=2..9000", `"max=2..9000": want whole numbers of tasks, 0 to 5000`, ""},
		{"cpu=1..5:0", `"cpu=1..5:0": ` + want + ", STEP being above 0", ""},
		{"max=1..101", `"max=1..101": want at most 100 values: give a larger STEP`, ""},
		{"cpu=1..2:1e-300", `"cpu=1..2:1e-300": want at most 100 values: give a larger STEP`, ""},
	} {
		_, err := ParseSweep(row.text)
		e, ok := errors.AsType[*input.Error](err)
		if !ok || e.Error() != row.want || e.Hint != row.hint {
			t.Errorf("%q: %v, want %s with the hint %q", row.text, err, row.want, row.hint)
		}
	}
	if s, err := ParseSweep("max=1..100"); err != nil || len(s.Values) != MaxSweep {
		t.Errorf("a hundred values: %d, %v", len(s.Values), err)
	}
}

func FuzzParseSweep(f *testing.F) {
	for _, seed := range []string{"target=25..400", "max=2..8", "cpu=1..2:0.1", "min=0..0", "target=1e-9..1e15", "=..:", "target=-1..1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSweep(text)
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r") || len(input.Errors(err)) != 1 {
				t.Errorf("%q: more than one line or one field: %q", text, err)
			}
			return
		}
		if n := len(s.Values); n < 1 || n > MaxSweep || !slices.IsSorted(s.Values) || len(slices.Compact(slices.Clone(s.Values))) != n {
			t.Errorf("%q: values are %v", text, s.Values)
		}
	})
}

func TestASweepIsTheRunsOfItsValues(t *testing.T) {
	c := DefaultConfig()
	c.Load = load(t, "0s:375,20m:375")
	s, err := ParseSweep("requests=50..20000")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := s.Run(c)
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(s.Values) {
		t.Fatalf("%d rows for %d values", len(rows), len(s.Values))
	}
	// All are watched until the last of them is back, which is a minute without load after 44:30 here.
	for i, row := range rows {
		alone := c
		alone.Whole, alone.Recovery = true, at(24, 30)
		alone.Policies = []autoscaling.Policy{autoscaling.TargetTracking{On: "requests", Target: s.Values[i]}, c.Policies[1]}
		if r := simulate(t, alone); row.Summary != r.Summary || row.Value != s.Values[i] {
			t.Errorf("%s is %+v, and alone %+v", row.Setting, row.Summary, r.Summary)
		}
	}
	if rows[0].Setting != "requests=50" || rows[len(rows)-1].Setting != "requests=20000" {
		t.Errorf("the settings are %q to %q", rows[0].Setting, rows[len(rows)-1].Setting)
	}
	if p := c.Policies[0].String(); p != "requests=50" {
		t.Errorf("the sweep changed the caller's policy to %s", p)
	}
}

func TestAHigherTargetNeedsFewerTaskHoursAndIsLongerUnderProvisioned(t *testing.T) {
	c := DefaultConfig()
	c.Policies = c.Policies[:1]
	c.Max = 20
	c.Load = load(t, "0s:0,30m:1000,60m:1000,90m:0")
	rows, err := Sweep{Setting: "target", Values: []float64{2000, 4000, 7000, 14000}}.Run(c)
	if err != nil {
		t.Fatal(err)
	}
	for i := 1; i < len(rows); i++ {
		if a, b := rows[i-1].Summary, rows[i].Summary; a.TaskHours <= b.TaskHours || a.UnderProvisioned > b.UnderProvisioned {
			t.Errorf("%s: %.1f task-hours, %s under; %s: %.1f, %s", rows[i-1].Setting, a.TaskHours, a.UnderProvisioned, rows[i].Setting, b.TaskHours, b.UnderProvisioned)
		}
	}
}

func TestASweepThatTheConfigurationCannotHaveRunsNothing(t *testing.T) {
	c := DefaultConfig()
	c.Load = load(t, "0s:375,3m:375")
	for _, row := range []struct {
		sweep Sweep
		want  string
	}{
		{Sweep{"max", []float64{1, 2}}, "max=1: min: 2 is above the maximum of 1"},
		{Sweep{"min", []float64{2, 7}}, "min=7: min: 7 is above the maximum of 6"},
		{Sweep{"memory", []float64{50}}, "no policy of the simulation has the setting memory"},
	} {
		rows, err := row.sweep.Run(c)
		if err == nil || err.Error() != row.want || rows != nil {
			t.Errorf("%+v: %v, %v, want %s", row.sweep, rows, err, row.want)
		}
	}
	c.Policies = c.Policies[1:]
	if _, err := (Sweep{"requests", []float64{50}}).Run(c); err == nil {
		t.Error("a policy that is not there was swept")
	}
}
