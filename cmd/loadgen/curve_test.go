package main

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/simulate"
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
