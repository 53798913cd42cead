package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// A round in which everything took twice as long changes no ratio.
func TestRatiosAreOfRunsInTheSameRound(t *testing.T) {
	us := func(n int) run { return run{requests: 1000, cpu: time.Duration(n) * time.Millisecond, rss: 20e6} }
	table := table{profile: "full", duration: time.Second, rounds: 3, names: []string{"loadgen bench", "wrk", "slow"}, runs: map[string][]run{
		"loadgen bench": {us(9), us(18), us(8)},
		"wrk":           {us(10), us(20), us(10)},
		"slow":          {us(40), {err: errors.New("it broke")}, us(30)},
	}}
	if got := median(table.ratios("loadgen bench", "wrk")); got != 0.9 {
		t.Errorf("ratio %v, want 0.9", got)
	}
	if got := table.ratios("slow", "wrk"); len(got) != 2 || got[0] != 3 {
		t.Errorf("ratios %v, want those of the two rounds that went well", got)
	}
	var b strings.Builder
	table.write(&b)
	for _, want := range []string{"| loadgen bench | 9.0 (8.0–18.0) | 0.90 | 0.80 |", "| slow | 35.0 (30.0–40.0) | 3.50 | 3.00 |", "Ahead of loadgen bench: in CPU a request none"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if strings.Index(b.String(), "| wrk") < strings.Index(b.String(), "| loadgen bench") {
		t.Error("the quickest does not come first")
	}
}

func TestAToolThatIsAheadIsNamed(t *testing.T) {
	one := func(cpu time.Duration, rss int64) []run { return []run{{requests: 1000, cpu: cpu, rss: rss}} }
	table := table{profile: "paced", duration: time.Second, rounds: 1, names: []string{"loadgen run", "other"}, runs: map[string][]run{
		"loadgen run": one(20*time.Millisecond, 20e6), "other": one(10*time.Millisecond, 5e6),
	}}
	var b strings.Builder
	table.write(&b)
	if want := "Ahead of loadgen run: in CPU a request other (0.50 ×); in memory other (5 MB against 20).\n"; !strings.Contains(b.String(), want) {
		t.Errorf("no %q in\n%s", want, b.String())
	}
}

func TestAMedianIsOfTheTwoInTheMiddle(t *testing.T) {
	for _, c := range []struct {
		sorted []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{1, 3}, 2}, {[]float64{1, 2, 9}, 2}} {
		if got := median(c.sorted); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.sorted, got, c.want)
		}
	}
}
