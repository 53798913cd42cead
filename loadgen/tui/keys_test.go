package tui

import (
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"

	"scalableappbackend/loadgen/plan"
)

// fakeRun is a run that takes every edit but one.
type fakeRun struct {
	p  plan.Plan
	at time.Duration
	no error
}

func (f *fakeRun) Plan() plan.Plan        { return f.p }
func (f *fakeRun) Elapsed() time.Duration { return f.at }
func (f *fakeRun) Edit(edits ...plan.Edit) error {
	for i := range edits {
		edits[i].At = f.at
	}
	if f.no != nil {
		return f.no
	}
	p, err := f.p.Edited(edits...)
	if err == nil {
		f.p = p
	}
	return err
}

func TestKeysChangeTheLoad(t *testing.T) {
	closed := plan.Default()
	closed.Users = 45
	few := plan.Default()
	few.Users = 3
	open := plan.DefaultOpen()
	open.Rate = plan.Rate{N: 2.5}
	staged := plan.Default()
	staged.Users, staged.SpawnRate, staged.RunTime = 0, 0, 0
	staged.Stages = []plan.Stage{{Duration: plan.Duration(time.Minute), To: 60}, {Duration: plan.Duration(time.Minute), To: 60}}
	for _, row := range []struct {
		why  string
		p    plan.Plan
		at   time.Duration
		keys string
		want string
	}{
		{"a tenth of the most", closed, time.Minute, "+", "users 50"},
		{"the shifted key is not asked for", closed, time.Minute, "=", "users 50"},
		{"down and down", closed, time.Minute, "--", "users 35"},
		{"a tenth is of the plan, and not of what there is", closed, time.Minute, "SSSS+", "users 10"},
		{"one user at least", few, time.Minute, "+", "users 4"},
		{"Locust's keys", closed, time.Minute, "wwWsS", "users 46"},
		{"none is the least", few, time.Minute, "S", "users 0"},
		{"while they spawn: from what was asked for", closed, time.Second, "w", "users 46"},
		{"of stages: from what there is by then", staged, 30 * time.Second, "w", "users 31"},
		{"a rate", open, time.Minute, "+", "rate 2.75"},
		{"a rate by one", open, time.Minute, "w-", "rate 3.25"},
		{"paused", closed, time.Minute, "p", "paused"},
		{"and on", closed, time.Minute, "pp", "resumed"},
		{"changed while paused", closed, time.Minute, "pw", "users 46"},
	} {
		run := &fakeRun{p: row.p, at: row.at}
		m := model{wheel: &wheel{run: run}, keys: true}
		for _, key := range row.keys {
			next, cmd := m.Update(tea.KeyPressMsg{Text: string(key), Code: key})
			if cmd == nil {
				t.Fatalf("%s: %c does nothing", row.why, key)
			}
			next, _ = next.Update(cmd())
			m = next.(model)
		}
		if m.said != row.want {
			t.Errorf("%s: %s makes it %q, want %q", row.why, row.keys, m.said, row.want)
		}
		if _, footer := m.footer(); !strings.Contains(footer, row.want) {
			t.Errorf("%s: the footer is %q", row.why, footer)
		}
	}
}

func TestAChangeThatIsRefusedIsSaid(t *testing.T) {
	m := model{wheel: &wheel{run: &fakeRun{p: plan.Default(), no: errors.New("the load has ended")}}, keys: true}
	_, cmd := m.Update(tea.KeyPressMsg{Text: "+", Code: '+'})
	next, _ := m.Update(cmd())
	if _, got := next.(model).footer(); !strings.Contains(got, "the load has ended") {
		t.Errorf("the footer is %q", got)
	}
}

func TestKeysThatChangeTheLoadWaitUntilThereIsARun(t *testing.T) {
	m := model{keys: true}
	if _, cmd := m.Update(tea.KeyPressMsg{Text: "+", Code: '+'}); cmd != nil {
		t.Error("+ does something before there is a run")
	}
	if _, got := m.footer(); strings.Contains(got, "+") {
		t.Errorf("the footer offers %q", got)
	}
}
