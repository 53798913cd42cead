package plan

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const ms = Duration(time.Millisecond)

// shape is a start and stages whose ends fall on whole milliseconds: what the slow oracles walk along.
type shape struct {
	start  float64
	stages []Stage
}

// anyShape draws curves with ramps, plateaus and jumps, at whole or fractional levels up to 300.
func anyShape(whole bool) *rapid.Generator[shape] {
	level := rapid.Float64Range(0, 300)
	if whole {
		level = rapid.Map(rapid.IntRange(0, 300), func(n int) float64 { return float64(n) })
	}
	return rapid.Custom(func(t *rapid.T) shape {
		s := shape{start: level.Draw(t, "start")}
		last := s.start
		for range rapid.IntRange(1, 6).Draw(t, "stages") {
			d := ms * Duration(rapid.OneOf(rapid.Just(0), rapid.IntRange(1, 5000)).Draw(t, "ms"))
			to := rapid.OneOf(level, rapid.Just(last)).Draw(t, "to")
			s.stages = append(s.stages, Stage{d, to})
			last = to
		}
		return s
	})
}

func (s shape) curve() Curve { return NewCurve(s.start, s.stages...) }

// at is the level at t by walking the stages, the obvious way.
func (s shape) at(t time.Duration) float64 {
	level := s.start
	for _, stage := range s.stages {
		d := time.Duration(stage.Duration)
		if t < d {
			return level + (stage.To-level)*(float64(t)/float64(d))
		}
		t -= d
		level = stage.To
	}
	return 0
}

func (s shape) end() (sum time.Duration) {
	for _, stage := range s.stages {
		sum += time.Duration(stage.Duration)
	}
	return sum
}

// integral adds up one rectangle a millisecond; the middle of a straight line is its mean.
func (s shape) integral(t time.Duration) (sum float64) {
	for at := time.Duration(0); at < min(t, s.end()); at += time.Duration(ms) {
		sum += s.at(at+time.Duration(ms)/2) * 1e-3
	}
	return sum
}

func TestACurveIsWhatWalkingItsStagesGives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyShape(false).Draw(t, "shape")
		c := s.curve()
		if c.End() != s.end() {
			t.Fatalf("ends at %v, want %v", c.End(), s.end())
		}
		at := time.Duration(rapid.Int64Range(-5, int64(s.end())+5).Draw(t, "at"))
		want := 0.0
		if at >= 0 {
			want = s.at(at)
		}
		if got := c.At(at); math.Abs(got-want) > 1e-9 {
			t.Fatalf("level at %v: %v, want %v", at, got, want)
		}
		whole := at.Truncate(time.Duration(ms))
		if got, want := c.Integral(whole), s.integral(whole); math.Abs(got-want) > 1e-9 {
			t.Fatalf("integral before %v: %v, numerically %v", whole, got, want)
		}
	})
}

func TestTheSegmentsOfACurveJoinWithoutGaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyShape(false).Draw(t, "shape")
		c := s.curve()
		var at time.Duration
		var highest float64
		for _, seg := range c.Segments() {
			if seg.From != at || seg.To <= seg.From {
				t.Fatalf("segment %+v does not begin at %v, or is empty", seg, at)
			}
			if got := c.At(seg.From); got != seg.Start {
				t.Fatalf("at a jump the level is the one after it: %v at %v, want %v", got, seg.From, seg.Start)
			}
			at = seg.To
			highest = max(highest, seg.Start, seg.End)
		}
		if at != c.End() || c.Max() != highest {
			t.Fatalf("segments end at %v and reach %v; curve says %v and %v", at, highest, c.End(), c.Max())
		}
	})
}

func TestInverseIsTheEarliestTimeThatReachesAnIntegral(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyShape(false).Draw(t, "shape")
		c := s.curve()
		total := c.Integral(c.End())
		n := rapid.Float64Range(0, 1).Draw(t, "share") * total
		at, ok := c.Inverse(n)
		if len(c.Segments()) == 0 {
			if ok {
				t.Fatal("an empty curve reached something")
			}
			return
		}
		// Half a nanosecond of rounding at the highest rate, and what float64 keeps of the total.
		tolerance := 300*0.5e-9 + 1e-12*total
		if got := c.Integral(at); !ok || got < n-tolerance {
			t.Fatalf("at %v the integral is %v, want %v", at, got, n)
		}
		if got := c.Integral(at - 2); got > n+tolerance {
			t.Fatalf("%v was reached before %v already: %v", n, at, got)
		}
		// Earliest: slightly before, on a plateau of zero, the integral must be less.
		if earlier := at - time.Duration(ms); earlier > 0 && c.Integral(earlier) >= n && c.At(earlier) > 1e-3 {
			t.Fatalf("%v is reached a millisecond before %v", n, at)
		}
		if _, ok := c.Inverse(total + 1e-6); ok {
			t.Fatal("more than all was reached")
		}
	})
}

func TestInverseFindsTheBeginOfATimeWithoutLoad(t *testing.T) {
	// 10/s for 1 s, nothing for 1 s, 10/s for 1 s.
	c := NewCurve(10, Stage{1000 * ms, 10}, Stage{0, 0}, Stage{1000 * ms, 0}, Stage{0, 10}, Stage{1000 * ms, 10})
	if at, ok := c.Inverse(10); !ok || at != time.Second {
		t.Errorf("10 are reached at %v, %v; want 1s", at, ok)
	}
	if at, _, ok := c.leave(10, 0); !ok || at != 2*time.Second {
		t.Errorf("10 are left at %v, %v; want 2s", at, ok)
	}
	for _, n := range []float64{math.NaN(), 20.5, math.Inf(1)} {
		if at, ok := c.Inverse(n); ok {
			t.Errorf("%v is reached at %v", n, at)
		}
	}
	if at, ok := c.Inverse(-1); !ok || at != 0 {
		t.Errorf("less than nothing is reached at %v, %v; want the start", at, ok)
	}
}

func TestConstantRatesAreDueToTheNanosecondForADay(t *testing.T) {
	const day = 24 * time.Hour
	for _, rate := range []float64{1e6, 999_999, 50, 1.0 / 3, 7} {
		c := NewCurve(rate, Stage{Duration(day), rate})
		last := int64(rate * day.Seconds())
		rapid.Check(t, func(t *rapid.T) {
			k := rapid.Int64Range(0, last-1).Draw(t, "k")
			at, ok := c.Inverse(float64(k))
			// 80 bits of mantissa for the truth: a whole second part and the rest.
			if diff := math.Abs(nanosAfter(k, rate, at)); !ok || diff > 1 {
				t.Fatalf("request %d at %v/s is due at %v, %v ns off", k, rate, at, diff)
			}
		})
	}
}

// nanosAfter is at minus k/rate in nanoseconds, with the division done on the remainder so that
// its rounding is not that of the code under test.
func nanosAfter(k int64, rate float64, at time.Duration) float64 {
	// at·rate − k·1e9 in nano-requests, by fused multiply-add: exact but for one rounding.
	high := float64(at) * rate
	low := math.FMA(float64(at), rate, -high)
	return (math.FMA(float64(k), -1e9, high) + low) / rate
}

func TestSpawnTimesAreExact(t *testing.T) {
	p := Default()
	at := map[int]time.Duration{}
	for x := range p.Curve().Crossings() {
		if !x.Join || x.User != len(at) {
			t.Fatalf("crossing %+v in a run in which everybody only joins", x)
		}
		at[x.User] = x.At
	}
	for k := range 50 {
		if want := time.Duration(k) * 200 * time.Millisecond; at[k] != want {
			t.Errorf("user %d joins at %v, want %v", k, at[k], want)
		}
	}
	if len(at) != 50 {
		t.Errorf("%d users joined, want 50", len(at))
	}
}

func TestUsersAreDueAtTheirNumberOverTheSpawnRate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Default()
		p.Users = rapid.IntRange(1, 2000).Draw(t, "users")
		p.SpawnRate = rapid.OneOf(rapid.Float64Range(0.01, MaxRate), rapid.Just(5e-324)).Draw(t, "rate")
		p.RunTime = Duration(rapid.Int64Range(1, int64(time.Hour)).Draw(t, "run time"))
		k := 0
		for x := range p.Curve().Crossings() {
			if want := float64(k) / p.SpawnRate * 1e9; !x.Join || x.User != k || math.Abs(float64(x.At)-want) > 2 {
				t.Fatalf("crossing %+v, want user %d at %v ns", x, k, want)
			}
			k++
		}
		// All whose time comes before the end, give or take one that rounding moves across it.
		due := min(float64(p.Users), math.Ceil(p.SpawnRate*p.RunTime.Seconds()))
		if math.Abs(float64(k)-due) > 1 || k > p.Users || k < 1 {
			t.Fatalf("%d of %d users joined, want %v", k, p.Users, due)
		}
	})
}

func TestCrossingsKeepTheNumberOfUsersAboveTheCurve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := anyShape(true).Draw(t, "shape")
		crossings := slices.Collect(s.curve().Crossings())
		present, next := 0, 0
		last := time.Duration(-1)
		for at := time.Duration(ms) / 2; at < s.end(); at += time.Duration(ms) {
			for ; next < len(crossings) && crossings[next].At <= at; next++ {
				x := crossings[next]
				switch {
				case x.At < last:
					t.Fatalf("%+v comes after %v", x, last)
				case x.Join && x.User != present:
					t.Fatalf("user %d joins %d others", x.User, present)
				case !x.Join && x.User != present-1:
					t.Fatalf("user %d leaves, but the last spawned is %d", x.User, present-1)
				}
				last = x.At
				if x.Join {
					present++
				} else {
					present--
				}
			}
			level := s.at(at)
			flat := s.at(at-1) == level && s.at(at+1) == level
			if !flat && math.Abs(level-math.Round(level)) < 1e-7 {
				continue // at a crossing, or too near to one for float64 to say on which side
			}
			if want := int(math.Ceil(level)); present != want {
				t.Fatalf("%d users at %v, want %d (level %v)", present, at, want, level)
			}
		}
		if rest := crossings[next:]; len(rest) > 0 && (rest[len(rest)-1].At > s.end() || rest[0].At < s.end()-time.Duration(ms)) {
			t.Fatalf("crossings after the last half millisecond: %+v", rest)
		}
	})
}

func TestUsersJoinOnTheWayUpAndLeaveOnTheWayDown(t *testing.T) {
	join := func(at Duration, user int) Crossing { return Crossing{time.Duration(at), user, true} }
	leave := func(at Duration, user int) Crossing { return Crossing{time.Duration(at), user, false} }
	for _, tt := range []struct {
		why    string
		start  float64
		stages []Stage
		want   []Crossing
	}{
		{
			"up: user k when the line leaves k; down: when it comes down to k, last spawned first; the last one stays to the end",
			0, []Stage{{2000 * ms, 2}, {2000 * ms, 0}},
			[]Crossing{join(0, 0), join(1000*ms, 1), leave(3000*ms, 1)},
		},
		{
			"a jump moves all at once, and a start above zero is one",
			2, []Stage{{100 * ms, 2}, {0, 4}, {100 * ms, 4}, {0, 1}, {100 * ms, 1}},
			[]Crossing{join(0, 0), join(0, 1), join(100*ms, 2), join(100*ms, 3), leave(200*ms, 3), leave(200*ms, 2), leave(200*ms, 1)},
		},
		{
			"a plateau at k does not hold user k, who joins when the line leaves it upward",
			0, []Stage{{100 * ms, 1}, {100 * ms, 1}, {100 * ms, 2}},
			[]Crossing{join(0, 0), join(200*ms, 1)},
		},
		{
			"coming down to a plateau at k lets user k go where it begins",
			2, []Stage{{100 * ms, 1}, {100 * ms, 1}},
			[]Crossing{join(0, 0), join(0, 1), leave(100*ms, 1)},
		},
		{
			"touching k and turning back up moves nobody",
			3, []Stage{{200 * ms, 1}, {200 * ms, 3}},
			[]Crossing{join(0, 0), join(0, 1), join(0, 2), leave(100*ms, 2), join(300*ms, 2)},
		},
		{
			"touching k from below lets nobody in",
			0, []Stage{{100 * ms, 1}, {100 * ms, 0}},
			[]Crossing{join(0, 0)},
		},
		{
			"all at zero for a while: everybody leaves, and may come back",
			1, []Stage{{100 * ms, 1}, {0, 0}, {100 * ms, 0}, {0, 1}, {100 * ms, 1}},
			[]Crossing{join(0, 0), leave(100*ms, 0), join(200*ms, 0)},
		},
		{
			"a jump at the end has no time in which to matter",
			1, []Stage{{100 * ms, 1}, {0, 9}},
			[]Crossing{join(0, 0)},
		},
		{
			"a jump and back at one instant is none",
			1, []Stage{{100 * ms, 1}, {0, 9}, {0, 1}, {100 * ms, 1}},
			[]Crossing{join(0, 0)},
		},
	} {
		if got := slices.Collect(NewCurve(tt.start, tt.stages...).Crossings()); !slices.Equal(got, tt.want) {
			t.Errorf("%s:\n got %v\nwant %v", tt.why, got, tt.want)
		}
	}
}

func TestCrossingsStopWhenTheReaderDoes(t *testing.T) {
	for limit := range 5 {
		n := 0
		for range NewCurve(2, Stage{1000 * ms, 5}).Crossings() {
			if n++; n > limit {
				break
			}
		}
		if n != limit+1 {
			t.Errorf("read %d, want %d", n, limit+1)
		}
	}
}

func TestFallingRatesAreInvertedAsPreciselyAsRisingOnes(t *testing.T) {
	// 10,000/s down to 0 within an hour: 18 million requests, the last of which are almost a second apart.
	const hour = time.Hour
	down := NewCurve(10_000, Stage{Duration(hour), 0})
	up := NewCurve(0, Stage{Duration(hour), 10_000})
	total := down.Integral(hour)
	for _, rest := range []float64{0, 1e-3, 1, 2, 1000, 1e6, total / 2, total} {
		a, _ := down.Inverse(total - rest)
		b, _ := up.Inverse(rest)
		// What rounding the integral itself does to the time, at the rate that is left.
		tolerance := 4 * total * 0x1p-53 / math.Sqrt(2*rest*10_000/3600) * 1e9
		if diff := hour - a - b; float64(diff.Abs()) > 2+tolerance && rest > 0 || rest == 0 && a != hour {
			t.Errorf("%v before the end is at %v, mirrored %v: %v apart", rest, a, hour-b, diff)
		}
	}
}

func TestAFallToNothingEndsAtItsEndHoweverItIsRounded(t *testing.T) {
	// Of these, start² + 2·slope·area is a little below zero.
	for start, d := range map[float64]Duration{7: 21_494, 1e6: 28_333, 0.3: 35_172} {
		c := NewCurve(start, Stage{d, 0})
		if at, ok := c.Inverse(c.Integral(c.End())); !ok || (at-c.End()).Abs() > 1 {
			t.Errorf("all of %v/s falling in %v is reached at %v, %v", start, d, at, ok)
		}
	}
}

func TestARiseFromNothingBeginsAtItsBegin(t *testing.T) {
	c := NewCurve(0, Stage{1000 * ms, 0}, Stage{1000 * ms, 5})
	if at, _, ok := c.leave(0, 0); !ok || at != time.Second {
		t.Errorf("zero is left at %v, %v; want 1s", at, ok)
	}
}

func TestLevelsTooSmallForTheirProductsStayWithinTheCurve(t *testing.T) {
	c := NewCurve(0, Stage{ms, 1e-39}, Stage{ms, 1})
	for _, n := range []float64{4e-289, 1e-300, 5e-324, 1e-43} {
		if at, ok := c.Inverse(n); !ok || at < 0 || at > c.End() {
			t.Errorf("%v is reached at %v, %v", n, at, ok)
		}
	}
}

func TestAnEmptyCurveHasNothing(t *testing.T) {
	var c Curve
	if c.At(0) != 0 || c.Integral(time.Hour) != 0 || c.End() != 0 || c.Max() != 0 || len(c.Segments()) != 0 {
		t.Errorf("the zero curve is not empty: %+v", c)
	}
	if _, ok := c.Inverse(0); ok {
		t.Error("nothing was reached in no time")
	}
	for x := range c.Crossings() {
		t.Errorf("somebody crossed: %+v", x)
	}
}
