package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/internal/resulttest"
	"scalableappbackend/loadgen/simulate"
	"scalableappbackend/loadgen/timeline"
)

// The figures of a simulation are of the load that it had: the same requests, to the same end, in the order of time.
func TestALoadInStepsHasTheSameRequests(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := simulate.Load{{Rate: rapid.Float64Range(0, 1000).Draw(t, "rate")}}
		want := 0.0
		for range rapid.IntRange(1, 8).Draw(t, "points") {
			before := l[len(l)-1]
			p := simulate.Point{
				At:   before.At + time.Duration(rapid.Int64Range(0, int64(10*time.Hour)).Draw(t, "for")),
				Rate: rapid.Float64Range(0, 1000).Draw(t, "rate"),
			}
			if rapid.Bool().Draw(t, "flat") {
				p.Rate = before.Rate
			}
			want += (p.At - before.At).Seconds() * (before.Rate + p.Rate) / 2
			l = append(l, p)
		}
		all := l.Demand(0)
		if err := all.Validate(); err != nil {
			t.Fatal(err)
		}
		got, end := 0.0, time.Duration(0)
		for _, s := range all {
			if s.From != end {
				t.Fatalf("a step begins at %s, where the one before ended at %s", s.From, end)
			}
			got, end = got+(s.To-s.From).Seconds()*s.Rate, s.To
		}
		// The mean of a line over a step is exact; what is off is that steps end on whole nanoseconds.
		if end != l.End() || math.Abs(got-want) > 1e-6*max(want, 1) {
			t.Fatalf("%v requests until %s, want %v until %s", got, end, want, l.End())
		}
		if len(all) > 2000+2*len(l) {
			t.Fatalf("%d steps", len(all))
		}
	})
}

func TestTheDefaultLoadIsOne(t *testing.T) {
	if _, err := simulate.ParseLoad(defaultCurve); err != nil {
		t.Error(err)
	}
}

// Of a service that was watched elsewhere the latency by load is known, and not by what it scales.
func TestTheLatencyOfAWatchedRunIsTaken(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "watched")
	resulttest.Write(t, dir, resulttest.Run{Rate: 60, Seconds: 12, Latency: 300 * time.Millisecond, Seed: 1})
	if c, err := resultCurve(dir); err != nil || len(c.latency) > 0 {
		t.Errorf("of a run that was not watched: %v, %v", c.latency, err)
	}
	text, err := json.Marshal(&timeline.Timeline{
		Points:  []timeline.Point{{At: 0, Desired: 2, Running: 2, Healthy: 2}},
		Speedup: 1, LoadTo: 12 * time.Second, End: 12 * time.Second, Min: 2, Max: 6,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "timeline.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := resultCurve(dir)
	if err != nil || c.settings != nil || len(c.latency) == 0 {
		t.Fatalf("settings %v, latency %v, %v", c.settings, c.latency, err)
	}
	if p := c.latency[0]; p.Rate < 29.9 || p.Rate > 30.1 || p.P99 < 320*time.Millisecond || p.P99 > 331*time.Millisecond {
		t.Errorf("%+v, want the p99 at 30 requests/s and task", p)
	}
}
