package progress

import (
	"bytes"
	"testing"
	"time"

	"scalableappbackend/internal/golden"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

const ms = time.Millisecond

// stretch is a window of a run with done requests, of which failed failed.
func stretch(from, to time.Duration, phase string, done, failed int64) *result.Window {
	w := &result.Window{
		From: from, To: to, Name: phase, Users: 50, InFlight: 12, Offered: done + 2, Sent: done, Lag: &result.Histogram{},
		Endpoints: []result.EndpointWindow{
			{Requests: done - done/2, Corrected: &result.Histogram{}},
			{Requests: done / 2, Failures: failed, Corrected: &result.Histogram{}},
		},
	}
	w.Lag.RecordN(130*time.Microsecond, done)
	w.Endpoints[0].Corrected.RecordN(3*ms, done-done/2)
	w.Endpoints[1].Corrected.RecordN(11*ms, done/2-failed)
	if failed > 0 {
		w.Endpoints[1].Errors = []result.ErrorCount{
			{Message: "connection refused", Count: failed - 1}, {Message: "timeout after 10s", Count: 1},
		}
	}
	if to%time.Second == 0 {
		w.Health = []result.Health{{CPU: result.Reading(0.01 * float64(to/time.Second%13))}}
	}
	return w
}

// lines is what progress writes of a run.
func lines(t *testing.T, p plan.Plan, windows ...*result.Window) string {
	t.Helper()
	var b bytes.Buffer
	lines := &Lines{Out: &b, Kept: func() string { return "loadgen-results/20261124T150405Z" }}
	if err := lines.Start(&result.Meta{Plan: p}); err != nil {
		t.Fatal(err)
	}
	for _, w := range windows {
		if err := lines.Window(w); err != nil {
			t.Fatal(err)
		}
	}
	if err := lines.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

var (
	_ result.Sink = (*Lines)(nil)
	_ result.Sink = (*Story)(nil)
)

// The default profile: a line every 10 s and where a phase ends, which is at 9.8 s first.
func TestALongRunIsALineEveryTenSecondsAndPhase(t *testing.T) {
	p := plan.Default()
	p.Host = "http://api.example.com"
	var all []*result.Window
	for s := range time.Duration(180) {
		from, to, phase := s*time.Second, (s+1)*time.Second, plan.Steady
		var failed int64
		if 60 <= s && s < 70 {
			failed = 12
		}
		switch {
		case s < 9:
			phase = plan.Ramp
		case s == 9:
			all = append(all, stretch(from, from+800*ms, plan.Ramp, 300, 0))
			from += 800 * ms
		}
		all = append(all, stretch(from, to, phase, int64(min(40*(s+1), 388)), failed))
	}
	drain := stretch(180*time.Second, 180*time.Second+4*ms, plan.Drain, 3, 0)
	drain.Users = 0
	golden.Check(t, "progress/long.txt", lines(t, p, append(all, drain)...))
}

func TestAShortRunOfARateIsALineEveryTwoSeconds(t *testing.T) {
	p := plan.DefaultOpen()
	p.Host, p.Rate, p.RunTime = plan.Embedded, plan.Rate{N: 3000, Per: plan.Duration(time.Minute)}, plan.Duration(5*time.Second)
	var all []*result.Window
	for s := range time.Duration(5) {
		all = append(all, stretch(s*time.Second, (s+1)*time.Second, plan.Steady, 50, 0))
	}
	all[2] = &result.Window{From: 2 * time.Second, To: 3 * time.Second, Name: plan.Steady, Offered: 50}
	all[3] = &result.Window{From: 3 * time.Second, To: 4 * time.Second, Name: plan.Steady, Offered: 50}
	golden.Check(t, "progress/short.txt", lines(t, p, append(all, stretch(5*time.Second, 12*time.Second, plan.Drain, 100, 50))...))
}

// Percentiles of two seconds' own would be 3 and 11 ms at different shares; only the sum has both right.
func TestALinesPercentilesAreOfItsSumAndNoneIsAnAverage(t *testing.T) {
	first, second := &result.Histogram{}, &result.Histogram{}
	first.RecordN(1*ms, 99)
	second.RecordN(100*ms, 1)
	p := plan.Default()
	p.Host, p.RunTime = "http://h", plan.Duration(10*time.Second)
	got := lines(t, p,
		&result.Window{To: time.Second, Name: plan.Ramp, Endpoints: []result.EndpointWindow{{Requests: 99, Corrected: first}}},
		&result.Window{From: time.Second, To: 2 * time.Second, Name: plan.Ramp, Endpoints: []result.EndpointWindow{{Requests: 1, Corrected: second}}})
	if want := "p50 1.00 ms p99 1.00 ms"; !bytes.Contains([]byte(got), []byte(want)) {
		t.Errorf("no %q in %s", want, got)
	}
	if first.Count() != 99 || second.Count() != 1 {
		t.Error("a window was changed")
	}
}

func TestADrainInWhichNothingWasLeftHasNoLine(t *testing.T) {
	p := plan.Default()
	p.Host, p.RunTime = "http://h", plan.Duration(time.Second)
	steady := stretch(0, time.Second, plan.Steady, 10, 0)
	empty := &result.Window{From: time.Second, To: time.Second, Name: plan.Drain}
	if with, without := lines(t, p, steady, empty), lines(t, p, steady); with != without {
		t.Errorf("an empty drain is a line: %s", with)
	}
	stuck := &result.Window{From: time.Second, To: 11 * time.Second, Name: plan.Drain, InFlight: 1}
	if with, without := lines(t, p, steady, stuck), lines(t, p, steady); with == without {
		t.Error("a drain that a request is stuck in is no line")
	}
}

func TestARunThatNeverBeganHasNoLines(t *testing.T) {
	if err := (&Lines{Out: &bytes.Buffer{}}).Close(); err != nil {
		t.Error(err)
	}
}
