package timeline

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDemandIsTheSmallestNumberOfTasksThatCanDoTheRate(t *testing.T) {
	for _, row := range []struct {
		capacity Capacity
		rate     float64
		want     int
		because  string
	}{
		{Capacity{PerTask: 100}, 0, 0, "nothing asks for none"},
		{Capacity{PerTask: 100}, 1, 1, ""},
		{Capacity{PerTask: 100}, 100, 1, "as much as one can"},
		{Capacity{PerTask: 100}, 100.001, 2, "a little more"},
		{Capacity{PerTask: 100, Utilisation: 0.8}, 100, 2, "no task is to be full"},
		{Capacity{PerTask: 0.1}, 0.30000000000000004, 3, "what 0.1 + 0.2 is in floating point"},
		{Capacity{PerTask: 62.5, Utilisation: 0.8}, 300, 6, ""},
		{Capacity{PerTask: math.MaxFloat64, Utilisation: 1}, 1, 1, "a part of one is one"},
		{Capacity{}, 100, 0, "unknown"},
	} {
		if got := row.capacity.Tasks(row.rate); got != row.want {
			t.Errorf("%+v for %v/s is %d tasks, want %d %s", row.capacity, row.rate, got, row.want, row.because)
		}
	}
	if got := (Capacity{PerTask: 1e-300}).Tasks(1e12); got < 1e15 {
		t.Errorf("what no int holds is %d tasks", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		c := Capacity{rapid.Float64Range(1, 1000).Draw(t, "per task"), rapid.Float64Range(0.1, 1).Draw(t, "utilisation")}
		rate := rapid.Float64Range(0, 1e5).Draw(t, "rate")
		n, one := float64(c.Tasks(rate)), c.PerTask*c.Utilisation
		if n*one < rate*(1-1e-8) || n > 0 && (n-1)*one > rate*(1+1e-8) {
			t.Fatalf("%v tasks of %v/s for %v/s", n, one, rate)
		}
	})
}

func TestALoadIsSteadyWhereItsStepsDifferByNoMoreThanAFifthOrChance(t *testing.T) {
	steps := func(length time.Duration, rates ...float64) (l Load) {
		for i, rate := range rates {
			l = append(l, Step{From: time.Duration(i) * length, To: time.Duration(i+1) * length, Rate: rate})
		}
		return l
	}
	for _, row := range []struct {
		load     Load
		from, to time.Duration
		want     bool
		because  string
	}{
		{steps(minute, 300, 300), 0, 2 * minute, true, ""},
		{steps(minute, 120, 80), 0, 2 * minute, true, "a fifth from their mean"},
		{steps(minute, 121, 79), 0, 2 * minute, false, "more"},
		{steps(minute, 121, 79), 0, minute, true, "not in the first"},
		{steps(minute, 121, 79), 61 * sec, 2 * minute, true, "nor in the second"},
		{steps(sec, 121, 79), 0, 2 * sec, true, "in a second that is chance: 100 ± 40"},
		{steps(sec, 141, 59), 0, 2 * sec, false, "and that is not"},
		{steps(minute, 300), 0, 2 * minute, false, "it ended"},
		{steps(minute, 300), 30 * minute, 40 * minute, true, "no load is steady"},
		{Load{{To: sec, Rate: 121, Planned: true}, {From: sec, To: 2 * sec, Rate: 79, Planned: true}}, 0, 2 * sec, false, "what was planned is no chance"},
		{nil, 0, minute, true, ""},
		{steps(minute, 300), sec, sec, true, "no time"},
		{Load{{From: minute, To: 2 * minute, Rate: 300}}, 0, 2 * minute, false, "it began"},
		{Load{{To: minute, Rate: 300}, {From: 90 * sec, To: 2 * minute, Rate: 300}}, 0, 2 * minute, false, "it paused"},
	} {
		if got := row.load.steady(row.from, row.to); got != row.want {
			t.Errorf("%v from %v to %v: steady is %v %s", row.load, row.from, row.to, got, row.because)
		}
	}
}
