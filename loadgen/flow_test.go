package loadgen

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scalableappbackend/internal/calm"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// teller is a source of capacity that says what a test wants, when it wants.
type teller struct {
	watched
	say  map[time.Duration][]timeline.Fact // from an instant on
	told map[time.Duration]bool
}

func (s *teller) Facts() (facts []timeline.Fact) {
	if s.told == nil {
		s.told = map[time.Duration]bool{}
	}
	for at, all := range s.say {
		if time.Since(s.began) >= at && !s.told[at] {
			s.told[at] = true
			facts = append(facts, all...)
		}
	}
	return facts
}

func of(service string) timeline.Fact {
	return timeline.Fact{Service: &timeline.Service{Name: service, Speedup: 1, Min: 2, Max: 6, PerTask: 20}}
}

func capacity(id string, known time.Duration, p timeline.Point) timeline.Fact {
	return timeline.Fact{ID: id, Known: known, Point: &p}
}

func TestATimelineThatContradictsItselfCostsNoResult(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	source := &teller{say: map[time.Duration][]timeline.Fact{
		0: {of("svc"), capacity("1", 0, timeline.Point{Desired: 2, Running: 2, Healthy: 2})},
		// The balancer says 4 healthy; the scheduler says for another 8 s that 2 run.
		5 * time.Second:  {capacity("2", 5*time.Second, timeline.Point{At: 5 * time.Second, Desired: 4, Running: 2, Healthy: 4})},
		13 * time.Second: {capacity("3", 13*time.Second, timeline.Point{At: 13 * time.Second, Desired: 4, Running: 4, Healthy: 4})},
		14 * time.Second: {capacity("4", 14*time.Second, timeline.Point{At: 14 * time.Second, Desired: -4})}, // which cannot be at all
	}}
	res, err := run(t, Runner{Plan: brief(), Transport: service(healthy), Capacity: source, Expect: []string{"max_desired==4"}, Sinks: []result.Sink{&kept{dir: dir}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(res.Warnings, "\n")
	if res.Verdict.ExitCode != 0 || len(res.Expectations) != 1 || !res.Expectations[0].Passed {
		t.Errorf("verdict %+v, expectations %+v", res.Verdict, res.Expectations)
	}
	for _, want := range []string{"more tasks were healthy than ran for 8 s, from 5 s on (4 healthy, 2 running)", "what was told cannot be, and is left out: point.desired \"-4\""} {
		if !strings.Contains(all, want) {
			t.Errorf("warnings %q, want %q", res.Warnings, want)
		}
	}
	o, err := result.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if o.Result.Timeline == nil || len(o.Result.Timeline.Points) != 3 || o.Cut {
		t.Errorf("what is kept: cut %v, timeline %+v", o.Cut, o.Result.Timeline)
	}
}

func TestAnActivityThatIsToldLateIsShownInItsPlace(t *testing.T) {
	activity := func(known, completed time.Duration, status string) timeline.Fact {
		return timeline.Fact{ID: "a1", Known: known, Activity: &timeline.Activity{
			At: 5 * time.Second, Completed: completed, Policy: "cpu", From: 2, To: 4, Status: status, Description: "Setting desired count to 4.",
		}}
	}
	source := &teller{say: map[time.Duration][]timeline.Fact{
		0: {of("svc"), capacity("1", 0, timeline.Point{Desired: 2, Running: 2, Healthy: 2})},
		8 * time.Second: {{ID: "a2", Known: 8 * time.Second, Activity: &timeline.Activity{
			At: 8 * time.Second, Policy: "cpu", From: 4, To: 5, Status: timeline.Successful, Description: "Setting desired count to 5.",
		}}},
		12 * time.Second: {activity(12*time.Second, 0, timeline.InProgress)},
		15 * time.Second: {activity(15*time.Second, 9*time.Second, timeline.Successful), activity(12*time.Second, 0, timeline.InProgress)},
	}}
	sink := &hearer{}
	res, err := run(t, Runner{Plan: brief(), Transport: service(healthy), Capacity: source, Sinks: []result.Sink{sink}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var scaled []float64
	for _, e := range res.Events {
		if e.Type == result.EventScaling {
			scaled = append(scaled, e.TS)
		}
	}
	if !slices.Equal(scaled, []float64{5, 8}) {
		t.Errorf("scaling events at %v, want 5 and 8, each once and in order", scaled)
	}
	if !slices.IsSortedFunc(res.Events, func(a, b result.EventJSON) int { return a.At.Compare(b.At) }) {
		t.Errorf("events are not in order: %+v", res.Events)
	}
	if all := res.Timeline.Activities; len(all) != 2 || all[0].At != 5*time.Second || all[0].Status != timeline.Successful || all[0].Completed != 9*time.Second {
		t.Errorf("activities %+v", all)
	}
	// Each state reached the sink once, and none was lost.
	var heard []string
	for _, f := range sink.facts {
		if f.Activity != nil {
			heard = append(heard, f.ID+" "+f.Activity.Status)
		}
	}
	if want := []string{"a2 Successful", "a1 InProgress", "a1 Successful"}; !slices.Equal(heard, want) {
		t.Errorf("a sink heard %q, want %q", heard, want)
	}
	if sink.until < 20*time.Second {
		t.Errorf("a sink heard until %v, want until the end of the recovery", sink.until)
	}
}

// hearer keeps facts.
type hearer struct {
	result.NopSink
	facts []timeline.Fact
	until time.Duration
}

func (h *hearer) Facts(f *result.Facts) error {
	h.facts, h.until = append(h.facts, f.Facts...), f.Until
	return nil
}

// part writes the result of a run of a service that had grown to 4 tasks, on which much was expected, and reads it.
func part(t *testing.T, name string, capacity Capacity, expect ...string) *result.Opened {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	synctest.Test(t, func(t *testing.T) {
		r := Runner{Plan: brief(), Transport: service(healthy), Judge: calm.Judge, Capacity: capacity, Expect: expect, Sinks: []result.Sink{&kept{dir: dir}}}
		if _, err := r.Run(t.Context()); err != nil {
			t.Error(err)
		}
	})
	o, err := result.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestASumKeepsTimelineElasticityAndExpectations(t *testing.T) {
	a := part(t, "a", &watched{known: true}, "max_tasks==6", "back_to_min_within<=1m")
	b := part(t, "b", &watched{known: true}, "max_tasks==6")
	if a.Result.Verdict.ExitCode != 97 || b.Result.Verdict.ExitCode != 97 {
		t.Fatalf("exit codes %d and %d, want 97", a.Result.Verdict.ExitCode, b.Result.Verdict.ExitCode)
	}
	dir := filepath.Join(t.TempDir(), "sum")
	res, err := Merge([]*result.Opened{a, b}, &kept{dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	if res.Verdict.ExitCode != 97 || len(res.Expectations) != 2 || res.Expectations[0].Passed || !res.Expectations[1].Passed {
		t.Errorf("exit code %d, expectations %+v", res.Verdict.ExitCode, res.Expectations)
	}
	if all := res.Timeline; len(all.Activities) != 2 || len(all.Points) != 3 || all.Service != "fleet" {
		t.Errorf("what both were told is there once: %+v", all)
	}
	var whole, one timeline.Figures
	if json.Unmarshal(res.Elasticity, &whole) != nil || json.Unmarshal(a.Result.Elasticity, &one) != nil {
		t.Fatalf("elasticity %s", res.Elasticity)
	}
	if whole.MaxTasks != one.MaxTasks || whole.Provisioning.MaxDemand < 2*one.Provisioning.MaxDemand-1 {
		t.Errorf("the sum's figures: %d tasks, %d needed; of one part %d and %d", whole.MaxTasks, whole.Provisioning.MaxDemand, one.MaxTasks, one.Provisioning.MaxDemand)
	}
	// It is read as it was written, and the sum of a sum and another part is one too.
	o, err := result.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Merge([]*result.Opened{o, part(t, "c", nil)})
	if err != nil || again.Verdict.ExitCode != 97 || len(again.Expectations) != 2 || again.Timeline == nil {
		t.Errorf("a sum of a sum: %v %+v", err, again)
	}
}

func TestTimelinesOfDifferentServicesAreNotAddedUp(t *testing.T) {
	named := func(name string) Capacity {
		return &teller{say: map[time.Duration][]timeline.Fact{0: {of(name), capacity("1", 0, timeline.Point{Desired: 2, Running: 2, Healthy: 2})}}}
	}
	for _, row := range []struct{ a, b, want string }{
		{"orders", "carts", "of different services, "},
		{"", "", "not both say of which service"},
		{"orders", "", "not both say of which service"},
		{"orders", "orders", ""},
	} {
		_, err := Merge([]*result.Opened{part(t, "a", named(row.a)), part(t, "b", named(row.b))})
		if row.want == "" {
			if err != nil {
				t.Errorf("of one service: %v", err)
			}
			continue
		}
		if _, refused := errors.AsType[*InputError](err); !refused || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%q and %q: %v, want it refused: %s", row.a, row.b, err, row.want)
		}
	}
}

func TestARunThatWasCutIsJudgedByTheOneJudge(t *testing.T) {
	whole := part(t, "whole", &watched{known: true}, "max_tasks==6", "time_under_provisioned<=1s")
	// The same directory without its end, as a kill in recovery leaves it.
	dir := cutOff(t, whole.Dir)
	o, err := result.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if !o.Cut {
		t.Fatal("it is not cut")
	}
	if err := Rejudge(o); err != nil {
		t.Fatal(err)
	}
	if len(o.Result.Expectations) != 2 || o.Result.Expectations[0].Passed || o.Result.Expectations[1] != whole.Result.Expectations[1] {
		t.Errorf("expectations %+v, want as the run had them: %+v", o.Result.Expectations, whole.Result.Expectations)
	}
	var figures, want timeline.Figures
	_ = json.Unmarshal(o.Result.Elasticity, &figures)
	_ = json.Unmarshal(whole.Result.Elasticity, &want)
	if figures.MaxTasks != 4 || figures.Provisioning == nil || figures.Provisioning.PerTask != 20 || figures.Load != want.Load {
		t.Errorf("figures %+v", figures)
	}
	if t2 := o.Result.Timeline; len(t2.Activities) != 2 || t2.LoadTo != 20*time.Second || t2.End < 24*time.Second {
		t.Errorf("timeline until %v, load until %v, %d activities", t2.End, t2.LoadTo, len(t2.Activities))
	}
}

// cutOff is a copy of a result without what its end wrote.
func cutOff(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "cut")
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"result.json", "timeline.json"} {
		if err := os.Remove(filepath.Join(to, name)); err != nil {
			t.Fatal(err)
		}
	}
	return to
}
