package plan

import (
	"math"
	"slices"
	"sort"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// all reads a sequence to its end.
func all(d *Due) []time.Duration {
	var times []time.Duration
	for {
		t, ok := d.Next()
		if !ok {
			return times
		}
		times = append(times, t)
	}
}

func TestUniformRequestsAreDueWhereTheIntegralPassesTheirNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyShape(false).Draw(t, "shape")
		c := s.curve()
		times := all(NewDue(c, Uniform, 0))
		if want := s.integral(s.end()); math.Abs(float64(len(times))-math.Ceil(want)) > 1 {
			t.Fatalf("%d requests, the rate integrates to %v", len(times), want)
		}
		for k, at := range times {
			if k > 0 && at < times[k-1] {
				t.Fatalf("request %d is due at %v, before %v", k, at, times[k-1])
			}
			// The obvious way: the first nanosecond after which the integral is above k.
			want := sort.Search(int(c.End()), func(ns int) bool { return c.Integral(time.Duration(ns)) > float64(k) })
			tolerance := 2 + 1e-10/max(c.At(at-1000), 1e-4)*1e9 // ns: what an error in the integral makes of time
			if diff := math.Abs(float64(want) - float64(at)); diff > tolerance {
				t.Fatalf("request %d is due at %v, want %v", k, at, time.Duration(want))
			}
		}
	})
}

func TestCountIsHowManyAreDueBefore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := anyShape(false).Draw(t, "shape").curve()
		due := NewDue(c, rapid.SampledFrom([]Arrivals{Uniform, Poisson}).Draw(t, "arrivals"), 7)
		times := all(due)
		at := time.Duration(rapid.Int64Range(-1, int64(c.End())+2).Draw(t, "at"))
		if len(times) > 0 && rapid.Bool().Draw(t, "exactly when one is due") {
			at = rapid.SampledFrom(times).Draw(t, "due") + time.Duration(rapid.IntRange(-1, 1).Draw(t, "ns"))
		}
		want, _ := slices.BinarySearch(times, at)
		if got := due.Count(at); got != want {
			t.Fatalf("%d due before %v, want %d of %d", got, at, want, len(times))
		}
	})
}

func TestARequestThatRoundingPutsOnTheEndIsNotSent(t *testing.T) {
	// Request 5 is due 0.2 ns before the end at 10 µs.
	due := NewDue(NewCurve(500_010, Stage{10_000, 500_010}), Uniform, 0)
	if times := all(due); len(times) != 5 || due.Count(10_000) != 5 || due.Count(20_000) != 5 {
		t.Errorf("due at %d, counted %d and %d; want 5", times, due.Count(10_000), due.Count(20_000))
	}
	// In a longer run it is due at 10 µs: not before, and before a nanosecond later.
	due = NewDue(NewCurve(500_010, Stage{30_000, 500_010}), Uniform, 0)
	if times := all(due); times[5] != 10_000 || due.Count(10_000) != 5 || due.Count(10_001) != 6 {
		t.Errorf("due at %d, counted %d and %d; want 5 and 6", times, due.Count(10_000), due.Count(10_001))
	}
}

func TestCountIsExactAfterMoreRequestsThanANanosecondCanTell(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// After 10^12 requests the integral is known to 10^-4 of one: more than passes in many
		// nanoseconds at a low rate.
		rate := rapid.Float64Range(0.01, 10).Draw(t, "rate")
		due := NewDue(NewCurve(1e6, Stage{MaxRunTime / 2, 1e6}, Stage{0, rate}, Stage{MaxRunTime / 4, rate * 1.1}), Uniform, 0)
		k := due.Count(time.Duration(MaxRunTime/2)) + rapid.IntRange(0, 1000).Draw(t, "k")
		at, _, ok := due.curve.leave(float64(k), 0)
		if !ok {
			t.Fatalf("request %d is never due", k)
		}
		at += time.Duration(rapid.IntRange(-1, 1).Draw(t, "ns"))
		n := due.Count(at)
		if last, _, _ := due.curve.leave(float64(n-1), 0); last >= at {
			t.Fatalf("%d before %v, but the last of them is due at %v", n, at, last)
		}
		if next, _, ok := due.curve.leave(float64(n), 0); ok && next < at {
			t.Fatalf("%d before %v, but the next is due at %v", n, at, next)
		}
	})
}

func TestAWholeRateGivesExactlyItsCount(t *testing.T) {
	for _, tt := range []struct {
		rate float64
		time time.Duration
		want int
	}{
		{50, time.Minute, 3000},
		{200, time.Minute, 12_000},
		{1.0 / 3, 3 * time.Second, 1},
		{0.1, time.Minute, 6},
		{0.1, time.Minute + 1, 7},
	} {
		c := NewCurve(tt.rate, Stage{Duration(tt.time), tt.rate})
		due := NewDue(c, Uniform, 0)
		if got := len(all(due)); got != tt.want || due.Count(tt.time) != got || due.Count(math.MaxInt64) != got {
			t.Errorf("%v/s for %v: %d requests, counted %d, want %d", tt.rate, tt.time, got, due.Count(tt.time), tt.want)
		}
	}
	day := NewDue(NewCurve(1e6, Stage{Duration(24 * time.Hour), 1e6}), Uniform, 0)
	if got := day.Count(24 * time.Hour); got != 86_400_000_000 {
		t.Errorf("a day at a million a second: %d requests", got)
	}
}

func TestStagedRatesIntegrateToTheRightCount(t *testing.T) {
	// 0 → 200/s in 30 s (3,000), 200/s for 60 s (12,000), a jump to 50/s for 10 s (500), to 0 in 20 s (500).
	c := NewCurve(0, Stage{30_000 * ms, 200}, Stage{60_000 * ms, 200}, Stage{0, 50}, Stage{10_000 * ms, 50}, Stage{20_000 * ms, 0})
	if got := len(all(NewDue(c, Uniform, 0))); got < 15_999 || got > 16_001 {
		t.Errorf("%d uniform requests, want 16,000 ± 1", got)
	}
	// Poisson: its own standard deviation is the root of the mean.
	if got := float64(len(all(NewDue(c, Poisson, 1)))); math.Abs(got-16_000) > 3*math.Sqrt(16_000) {
		t.Errorf("%v Poisson requests, want 16,000 ± 379", got)
	}
}

func TestNothingIsDueInATimeWithoutLoad(t *testing.T) {
	// 10 s of nothing, then 1/s: the first request is due when the rate rises, not at the start.
	c := NewCurve(0, Stage{10_000 * ms, 0}, Stage{0, 1}, Stage{3000 * ms, 1}, Stage{0, 0}, Stage{5000 * ms, 0}, Stage{0, 1}, Stage{1500 * ms, 1})
	var want []time.Duration
	for _, s := range []time.Duration{10, 11, 12, 18, 19} {
		want = append(want, s*time.Second)
	}
	if got := all(NewDue(c, Uniform, 0)); !slices.Equal(got, want) {
		t.Errorf("due at %v, want %v", got, want)
	}
	for _, at := range all(NewDue(c, Poisson, 3)) {
		if c.At(at) == 0 && c.At(at-1) == 0 {
			t.Errorf("due at %v, where the rate is 0", at)
		}
	}
}

func TestPoissonGapsAreExponentialOnceRescaledByTheRate(t *testing.T) {
	for name, c := range map[string]Curve{
		"constant":       NewCurve(500, Stage{60_000 * ms, 500}),
		"up":             NewCurve(0, Stage{60_000 * ms, 1000}),
		"down":           NewCurve(1000, Stage{60_000 * ms, 0}),
		"staged, jumps":  NewCurve(10, Stage{20_000 * ms, 800}, Stage{0, 50}, Stage{20_000 * ms, 50}, Stage{20_000 * ms, 900}),
		"with intervals": NewCurve(300, Stage{20_000 * ms, 300}, Stage{0, 0}, Stage{9000 * ms, 0}, Stage{0, 700}, Stage{20_000 * ms, 700}),
	} {
		var gaps []float64
		last := 0.0
		for _, at := range all(NewDue(c, Poisson, 42)) {
			n := c.Integral(at)
			gaps = append(gaps, n-last)
			last = n
		}
		if len(gaps) < 10_000 {
			t.Errorf("%s: only %d gaps", name, len(gaps))
		}
		if d, limit := kolmogorov(gaps, func(x float64) float64 { return 1 - math.Exp(-x) }), 1.628; d > limit {
			t.Errorf("%s: Kolmogorov-Smirnov statistic %.3f, above %.3f: not exponential (α = 0.01)", name, d, limit)
		}
	}
}

func TestUniformGapsFailTheTestThatPoissonGapsPass(t *testing.T) {
	gaps := slices.Repeat([]float64{1}, 10_000)
	if d := kolmogorov(gaps, func(x float64) float64 { return 1 - math.Exp(-x) }); d < 1.628 {
		t.Errorf("even gaps pass as exponential: %.3f", d)
	}
}

// kolmogorov is the Kolmogorov–Smirnov statistic of samples against a distribution, scaled so that its critical value
// at α = 0.01 is 1.628 for any number of them (Stephens, JASA 69, 1974, table 1A).
func kolmogorov(samples []float64, distribution func(float64) float64) float64 {
	x := slices.Sorted(slices.Values(samples))
	n := float64(len(x))
	var d float64
	for i, v := range x {
		p := distribution(v)
		d = max(d, p-float64(i)/n, float64(i+1)/n-p)
	}
	return d * (math.Sqrt(n) + 0.12 + 0.11/math.Sqrt(n))
}

func TestTheSeedDecidesPoissonTimes(t *testing.T) {
	c := NewCurve(100, Stage{10_000 * ms, 100})
	a, b, other := all(NewDue(c, Poisson, 1)), all(NewDue(c, Poisson, 1)), all(NewDue(c, Poisson, 2))
	if !slices.Equal(a, b) {
		t.Error("the same seed gave other times")
	}
	if slices.Equal(a, other) {
		t.Error("another seed gave the same times")
	}
}

func TestASequenceStaysAtItsEnd(t *testing.T) {
	for _, d := range []*Due{
		NewDue(NewCurve(2, Stage{1000 * ms, 2}), Uniform, 0), NewDue(NewCurve(2, Stage{1000 * ms, 2}), Poisson, 0), NewDue(Curve{}, Uniform, 0), NewDue(Curve{}, Poisson, 0),
	} {
		n := len(all(d))
		if at, ok := d.Next(); ok {
			t.Errorf("after %d and its end came %v", n, at)
		}
		if d.Count(time.Hour) != n {
			t.Errorf("counted %d, want %d", d.Count(time.Hour), n)
		}
	}
}

func BenchmarkNextDue(b *testing.B) {
	stages := make([]Stage, MaxStages)
	for i := range stages {
		stages[i] = Stage{Duration(time.Hour), float64(1 + i%7*1000)}
	}
	for _, a := range []Arrivals{Uniform, Poisson} {
		b.Run(string(a), func(b *testing.B) {
			d := NewDue(NewCurve(1, stages...), a, 1)
			for b.Loop() {
				d.Next()
			}
		})
	}
}
