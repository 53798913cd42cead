package loadgen

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"scalableappbackend/internal/calm"
	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// steered runs a plan in virtual time, into a directory when one is given, and calls meanwhile with its handle.
func steered(t *testing.T, p plan.Plan, dir string, meanwhile func(*Handle)) (res *result.Result, err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := Runner{Plan: p, Transport: service(healthy), Judge: calm.Judge}
		if dir != "" {
			w, err := result.Prepare(dir, result.Meta{Plan: p, Interval: time.Second})
			if err != nil {
				t.Fatal(err)
			}
			r.Sinks = append(r.Sinks, w)
		}
		h, refused := r.Start(context.Background())
		if refused != nil {
			t.Fatal(refused)
		}
		if meanwhile != nil {
			meanwhile(h)
		}
		res, err = h.Wait()
	})
	return res, err
}

func users(n float64) plan.Edit { return plan.Edit{Field: plan.EditUsers, Value: n} }
func paused(yes bool) plan.Edit {
	e := plan.Edit{Field: plan.EditPaused}
	if yes {
		e.Value = 1
	}
	return e
}

// edit makes edits at a time of the run.
func edit(t *testing.T, h *Handle, at time.Duration, edits ...plan.Edit) {
	t.Helper()
	time.Sleep(at - h.Elapsed())
	if err := h.Edit(edits...); err != nil {
		t.Errorf("at %v: %v", at, err)
	}
}

func TestAnEditedRunIsKeptAndRunsAgainAsItWas(t *testing.T) {
	dir := t.TempDir()
	first, again := filepath.Join(dir, "first"), filepath.Join(dir, "again")
	live, err := steered(t, brief(), first, func(h *Handle) {
		edit(t, h, 4200*ms, users(10))
		edit(t, h, 8*time.Second, paused(true))
		edit(t, h, 11*time.Second+1, paused(false), users(3))
		edit(t, h, 15*time.Second, plan.Edit{Field: plan.EditRunTime, Value: 18})
	})
	if err != nil {
		t.Fatal(err)
	}
	kept, err := result.Open(first)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(kept.Meta.Plan.Edits); n != 5 || len(live.Plan.Edits) != 5 {
		t.Fatalf("%d edits kept in plan.json, %d in the result, want 5", n, len(live.Plan.Edits))
	}
	replayed, err := steered(t, kept.Meta.Plan, again, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := story(live), story(replayed); a != b {
		t.Errorf("live\n%s\nreplayed\n%s", a, b)
	}
	var phases []string
	for _, p := range live.Phases {
		phases = append(phases, fmt.Sprintf("%s %.1f", p.Name, p.FromS))
	}
	want := []string{"ramp 0.0", "steady 0.8", "ramp 4.2", "steady 5.0", "held 8.0", "ramp 11.0", "steady 12.2", "steady 15.0", "drain 18.0"}
	if !slices.Equal(phases, want) {
		t.Errorf("phases %q, want %q", phases, want)
	}
	if held := live.Phases[4].Totals; held.RequestsPerSecond != 0 || held.Requests != 0 {
		t.Errorf("in the hold %+v", held)
	}
	// The books: what the phases offered is what the run did, and the hold is in no rate.
	sent := 0.0
	for _, p := range live.Phases {
		if p.Name != plan.Drain {
			sent += p.Totals.RequestsPerSecond * (p.ToS - p.FromS)
		}
	}
	if rate := sent / 15; rate < 0.98*live.Totals.RequestsPerSecond || rate > 1.02*live.Totals.RequestsPerSecond {
		t.Errorf("%.2f requests a second in 15 s of load, the totals say %.2f", rate, live.Totals.RequestsPerSecond)
	}
	var edits []string
	for _, e := range live.Events {
		if e.Type == result.EventEdit {
			edits = append(edits, fmt.Sprintf("%.1f %s", e.TS, e.Detail))
		}
	}
	if want := []string{"4.2 users 10", "8.0 paused", "11.0 resumed", "11.0 users 3", "15.0 run_time 18s"}; !slices.Equal(edits, want) {
		t.Errorf("events %q, want %q", edits, want)
	}

	// What the files say is what the run said, and two generators' runs of one edited plan add up.
	opened, err := result.Open(again)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := Merge([]*result.Opened{kept, opened})
	if err != nil {
		t.Fatal(err)
	}
	if got := sum.Plan.Edits[0].Value; got != 20 || sum.Totals.Requests != 2*live.Totals.Requests || len(sum.Phases) != len(live.Phases) {
		t.Errorf("the sum has an edit to %v users, %d requests in %d phases", got, sum.Totals.Requests, len(sum.Phases))
	}
	// Whether some were added up before does not matter.
	both := filepath.Join(dir, "both")
	w, err := result.Prepare(both, result.Meta{Plan: kept.Meta.Plan, Interval: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Merge([]*result.Opened{kept, opened}, w); err != nil {
		t.Fatal(err)
	}
	added, err := result.Open(both)
	if err != nil {
		t.Fatal(err)
	}
	third := filepath.Join(dir, "third")
	if _, err := steered(t, kept.Meta.Plan, third, nil); err != nil {
		t.Fatal(err)
	}
	one, err := result.Open(third)
	if err != nil {
		t.Fatal(err)
	}
	if sum, err = Merge([]*result.Opened{added, one}); err != nil {
		t.Fatal(err)
	}
	if got := sum.Plan.Edits[0].Value; got != 30 || sum.Totals.Requests != 3*live.Totals.Requests {
		t.Errorf("three parts have an edit to %v users and %d requests", got, sum.Totals.Requests)
	}
	plain := filepath.Join(dir, "plain")
	if _, err := steered(t, brief(), plain, nil); err != nil {
		t.Fatal(err)
	}
	other, err := result.Open(plain)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Merge([]*result.Opened{kept, other}); err == nil || !strings.Contains(err.Error(), "edits") {
		t.Errorf("a run that was not edited beside one that was: %v", err)
	}
}

// story is what a result tells of time and counts.
func story(r *result.Result) string {
	var b strings.Builder
	fmt.Fprintln(&b, r.DurationS, r.Totals.Offered, r.Totals.Requests, r.Plan.Edits)
	for _, p := range r.Phases {
		fmt.Fprintln(&b, p.Name, p.FromS, p.ToS, p.Totals.Requests, p.Totals.RequestsPerSecond, p.Totals.Latency)
	}
	for _, e := range r.Events {
		fmt.Fprintln(&b, e.TS, e.Type, e.Detail)
	}
	return b.String()
}

func TestARunThatIsKilledKeepsTheEditsThatItsIntervalsNeed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	_, _ = steered(t, brief(), dir, func(h *Handle) {
		edit(t, h, 3*time.Second, users(10))
		time.Sleep(4 * time.Second)
		o, err := result.Open(dir) // as a process finds it that comes after a kill
		if err != nil {
			t.Fatal(err)
		}
		if !o.Cut || len(o.Meta.Plan.Edits) != 1 {
			t.Errorf("cut %v, edits %v", o.Cut, o.Meta.Plan.Edits)
		}
		if n := len(o.Result.Phases); n != 4 || o.Result.Phases[3].Name != plan.Steady {
			t.Errorf("phases %+v", o.Result.Phases)
		}
		h.Stop("the test is over")
	})
}

func TestAHandleStopsCutsAndRefuses(t *testing.T) {
	res, err := steered(t, brief(), "", func(h *Handle) {
		if err := h.Edit(plan.Edit{Field: plan.EditRate, Value: 5}); len(input.Errors(err)) == 0 {
			t.Errorf("a rate for users: %v", err)
		}
		h.session.limits.Files = 1000
		if err := h.Edit(plan.Edit{Field: plan.EditSpawnRate, Value: 1000}, users(2000)); len(input.Errors(err)) == 0 {
			t.Errorf("more users than this process may open files: %v", err)
		}
		time.Sleep(2 * time.Second)
		h.Stop("somebody wanted it")
		h.Stop("somebody else too")
		h.Cut()
		h.Cut()
		<-h.Done()
		if err := h.Edit(users(5)); !errors.Is(err, ErrEnded) {
			t.Errorf("after the end: %v", err)
		}
		h.Stop("too late")
	})
	if err != nil || !res.Interrupted || res.StoppedBy != "somebody wanted it" || len(res.Plan.Edits) > 0 {
		t.Errorf("interrupted %v by %q, edits %v, %v", res.Interrupted, res.StoppedBy, res.Plan.Edits, err)
	}
}
