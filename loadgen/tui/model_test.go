package tui

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"

	"scalableappbackend/internal/golden"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

const ms = time.Millisecond

// window is one second of a run: done requests, of which failed failed, each of the others took raw, and
// lag more from when it was due.
func window(from int, phase string, done, failed int64, raw, lag time.Duration) *result.Window {
	e := result.EndpointWindow{Requests: done, Failures: failed, Raw: &result.Histogram{}, Corrected: &result.Histogram{}}
	e.Raw.RecordN(raw, done-failed)
	e.Corrected.RecordN(raw+lag, done-failed)
	if failed > 0 {
		e.Errors = []result.ErrorCount{{Kind: "connection_refused", Message: "connection refused", Count: failed}}
	}
	w := &result.Window{
		From: time.Duration(from) * time.Second, To: time.Duration(from+1) * time.Second, Name: phase,
		Users: 50, InFlight: 3, Offered: done + 1, Sent: done, Lag: &result.Histogram{},
		Endpoints: []result.EndpointWindow{e},
		Health:    []result.Health{{CPU: 0.12}},
	}
	w.Lag.RecordN(lag, done)
	return w
}

func fresh(width int) model {
	return model{
		endpoints: []string{"GET /"},
		title:     "50 users, 5 started each second, on http://localhost:8080 for 3:00", planned: 3 * time.Minute,
		stopTimeout: 10 * time.Second, closedModel: true, keys: true, width: width, stop: func(string) {},
	}
}

// after is what Update makes of messages.
func after(m model, messages ...tea.Msg) model {
	for _, msg := range messages {
		next, _ := m.Update(msg)
		m = next.(model)
	}
	return m
}

func windows(all ...*result.Window) (messages []tea.Msg) {
	for _, w := range all {
		messages = append(messages, windowMsg{w})
	}
	return messages
}

func healthy(seconds int) (all []*result.Window) {
	for i := range seconds {
		phase := plan.Steady
		if i < 10 {
			phase = plan.Ramp
		}
		all = append(all, window(i, phase, int64(min(40*(i+1), 389)), 0, 3*ms, 130*time.Microsecond))
	}
	return all
}

func TestTheScreenLooksAsItShouldAtTwoWidths(t *testing.T) {
	failing := healthy(70)
	for i := 60; i < 70; i++ {
		w := window(i, plan.Steady, 400, 120, 48*ms, 30*ms)
		w.Endpoints[0].Errors = append(w.Endpoints[0].Errors,
			result.ErrorCount{Message: "timeout after 10s", Count: 7},
			result.ErrorCount{Message: "503 Service Unavailable", Count: 1234},
			result.ErrorCount{Message: "connection reset \x1b[2Jby a server that says far too much of itself in one line and goes on", Count: 9})
		failing[i] = w
	}
	open := fresh(0)
	open.closedModel = false
	draining := append(healthy(180), window(180, plan.Drain, 3, 0, 3*ms, 0))
	for _, width := range []int{60, 100} {
		for name, m := range map[string]model{
			"start":    fresh(width),
			"steady":   after(fresh(width), windows(healthy(42)...)...),
			"failing":  after(fresh(width), windows(failing...)...),
			"draining": after(fresh(width), windows(draining...)...),
			"stopping": after(fresh(width), append(windows(healthy(5)...), stoppingMsg{"signal: interrupt"})...),
			"open":     after(open, append(windows(healthy(12)...), tea.WindowSizeMsg{Width: width})...),
		} {
			t.Run(fmt.Sprintf("%s at %d", name, width), func(t *testing.T) {
				got := strings.Join(m.lines(), "\n") + "\n"
				golden.Check(t, fmt.Sprintf("%s_%d.txt", name, width), got)
				m.styled = true
				if styled := strings.Join(m.lines(), "\n") + "\n"; ansi.Strip(styled) != got {
					t.Errorf("style changes more than the look:\n%q\n%q", ansi.Strip(styled), got)
				}
			})
		}
	}
}

func TestNoLineIsWiderThanTheTerminal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := fresh(rapid.IntRange(minWidth, 200).Draw(t, "width"))
		m.title = rapid.String().Draw(t, "title")
		m.styled = rapid.Bool().Draw(t, "styled")
		for i := range rapid.IntRange(0, 3).Draw(t, "windows") {
			done := rapid.Int64Range(0, 1e12).Draw(t, "done")
			w := window(i, plan.Steady, done, rapid.Int64Range(0, done).Draw(t, "failed"), time.Hour, time.Hour)
			w.Endpoints[0].Errors = append(w.Endpoints[0].Errors, result.ErrorCount{Message: rapid.String().Draw(t, "message"), Count: 1})
			m = after(m, windowMsg{w})
		}
		for _, l := range m.lines() {
			if got := ansi.StringWidth(l); got >= m.width {
				t.Fatalf("%d columns of %d: %q", got, m.width, l)
			}
			if strings.ContainsAny(ansi.Strip(l), "\n\r\t\x1b\x07") {
				t.Fatalf("%q can write to the terminal", l)
			}
		}
	})
}

func TestKeysAskForAStopByTheirNameAndDoNotEndTheScreen(t *testing.T) {
	for key, asks := range map[tea.KeyPressMsg]string{
		{Code: 'q', Text: "q"}:                                      "key q",
		{Code: 'c', Mod: tea.ModCtrl}:                               "Ctrl-C",
		{Code: 'q', Text: "Q", ShiftedCode: 'Q', Mod: tea.ModShift}: "key q",
		{Code: 'x', Text: "x"}:                                      "",
		{Code: tea.KeyEnter}:                                        "",
		{Code: tea.KeyEscape}:                                       "",
	} {
		asked := ""
		m := fresh(80)
		m.stop = func(key string) { asked += key }
		next, cmd := m.Update(key)
		if cmd != nil {
			if msg := cmd(); msg != nil {
				t.Errorf("%s: the command says %v", key, msg)
			}
		}
		if asked != asks || next.(model).closed {
			t.Errorf("%s asked as %q, want %q; closed %v", key, asked, asks, next.(model).closed)
		}
	}
}

func TestAClosedScreenIsEmpty(t *testing.T) {
	m := after(fresh(80), windows(healthy(3)...)...)
	if m.View().Content == "" {
		t.Error("nothing is drawn before it is closed")
	}
	next, cmd := m.Update(closeMsg{})
	if got := next.View().Content; got != "" {
		t.Errorf("%q is left", got)
	}
	if cmd == nil {
		t.Fatal("the program goes on")
	}
	if _, quit := cmd().(tea.QuitMsg); !quit {
		t.Error("the program goes on")
	}
}

func TestUpdateLeavesTheModelBeforeItAsItWas(t *testing.T) {
	m := after(fresh(80), windows(healthy(65)...)...)
	before := strings.Join(m.lines(), "\n")
	copied := m
	for _, msg := range []tea.Msg{windowMsg{window(65, plan.Steady, 9, 9, ms, ms)}, stoppingMsg{"x"}, closeMsg{}, tea.WindowSizeMsg{Width: 50}} {
		m.Update(msg)
	}
	if got := strings.Join(m.lines(), "\n"); got != before {
		t.Errorf("the model before shows something else:\n%s\n%s", before, got)
	}
	if !reflect.DeepEqual(copied.totals, m.totals) || !reflect.DeepEqual(copied.seconds, m.seconds) {
		t.Error("the model before holds something else")
	}
}
