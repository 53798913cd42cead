package timeline

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// run is a Span at speedup 1.
func run(d time.Duration) *Span { return &Span{d, d} }

func same(a, b *Span) bool { return a == nil && b == nil || a != nil && b != nil && *a == *b }

func TestTheSeedsStoryHasTheFiguresThatPaperGives(t *testing.T) {
	line, load := seed(), seedLoad()
	mustBeValid(t, line)
	if err := load.Validate(); err != nil {
		t.Fatal(err)
	}
	f := Compute(line, load, seedCapacity())

	for _, row := range []struct {
		name      string
		got, want *Span
		why       string
	}{
		{"load", &f.Load, run(15 * minute), ""},
		{"watched", &f.Watched, run(44 * minute), "from the load's start"},
		{"alarm", f.Lags.Alarm, run(3 * minute), "three breaching periods"},
		{"decision", f.Lags.Decision, run(3 * minute), ""},
		{"running", f.Lags.Running, run(3*minute + 40*sec), "the first new task"},
		{"healthy", f.Lags.Healthy, run(3*minute + 50*sec), "the first new task"},
		{"first response", f.Lags.FirstResponse, run(3*minute + 51*sec), "not that of a task from before"},
		{"scale-in", f.Lags.ScaleIn, run(15 * minute), "from the load's end"},
		{"drain", f.Lags.Drain, run(30 * sec), "from the decision"},
		{"scale-out", f.ScaleOut, run(4 * minute), "the last new task"},
		{"recovery", f.Recovery, run(24*minute + 30*sec), "15 low periods, three more steps of 3 min, the last drain"},
	} {
		if !same(row.got, row.want) {
			t.Errorf("%s is %+v, want %+v %s", row.name, row.got, row.want, row.why)
		}
	}
	for _, row := range []struct {
		name      string
		got, want int
		why       string
	}{
		{"min tasks", f.MinTasks, 2, "the start-up before the load does not count"},
		{"max tasks", f.MaxTasks, 6, ""},
		{"min healthy", f.MinHealthy, 2, ""},
		{"max healthy", f.MaxHealthy, 6, ""},
		{"desired before", f.DesiredBefore, 2, ""},
		{"min desired", f.MinDesired, 2, ""},
		{"max desired", f.MaxDesired, 6, ""},
		{"activities", f.Activities, 5, "one out, four in"},
		{"not scaled", f.NotScaled, 1, "no activity"},
		{"oscillations", *f.Oscillations, 0, "it came down because the load ended"},
		{"max demand", f.Provisioning.MaxDemand, 6, "300 ÷ (62.5 × 0.8)"},
		{"overshoot", f.Provisioning.Overshoot, 0, ""},
		{"requests under", int(f.Provisioning.RequestsUnder), 4 * 18000, "4 minutes of 15"},
		{"errors under", int(f.Provisioning.ErrorsUnder), 4 * 6, ""},
	} {
		if row.got != row.want {
			t.Errorf("%s is %d, want %d %s", row.name, row.got, row.want, row.why)
		}
	}
	if !slices.Equal(f.ScaleOutPath, []int{2, 6}) || !slices.Equal(f.ScaleInPath, []int{6, 5, 4, 3, 2}) {
		t.Errorf("paths %v and %v, want 2 6 and 6 5 4 3 2", f.ScaleOutPath, f.ScaleInPath)
	}
	if f.Steady == nil || *f.Steady != (Stretch{5 * minute, 16 * minute}) {
		t.Errorf("steady %v, want from 5 to 16 minutes", f.Steady)
	}
	// Under load: 2 of 6 for 230 s, then 3 of 6 for 10 s, then enough, in 900 s.
	// Afterwards the minimum of 2 is the demand: 4 too many for 900 s, 3 for 180 s, 2 for 180 s, 1 for 180 s, in 2640 s.
	load15, whole := f.Provisioning.DuringLoad, f.Provisioning.Whole
	for _, row := range []struct {
		name      string
		got, want float64
	}{
		{"a_U", load15.AUnder, (4*230 + 3*10) / 900.},
		{"θ_U", load15.ThetaUnder, 100 * (4./6*230 + 3./6*10) / 900},
		{"τ_U", load15.TauUnder, 100 * 240 / 900.},
		{"a_O", load15.AOver, 0},
		{"θ_O", load15.ThetaOver, 0},
		{"τ_O", load15.TauOver, 0},
		{"a_U in all", whole.AUnder, (4*230 + 3*10) / 2640.},
		{"a_O in all", whole.AOver, (4*900 + 3*180 + 2*180 + 1*180) / 2640.},
		{"θ_O in all", whole.ThetaOver, 100 * (4*900 + 3*180 + 2*180 + 1*180) / 2. / 2640},
		{"τ_O in all", whole.TauOver, 100 * (900 + 3*180) / 2640.},
		{"ideal task-hours", whole.IdealTaskHours, (6*900 + 2*1740) / 3600.},
		{"ideal task-hours of the load", load15.IdealTaskHours, 6 * 900 / 3600.},
		// Running 2 for 220 s, 3 for 10 s, 6 for 1570 s, then with the draining one 6 5 5 4 4 3 3 2.
		{"task-hours", f.TaskHours, (2*220 + 3*10 + 6*1570 + 6*30 + 5*150 + 5*30 + 4*150 + 4*30 + 3*150 + 3*30 + 2*270) / 3600.},
		{"share", *f.Tasks[0].Share, 0.75},
		{"rate of an old task", *f.Tasks[0].Rate, 300 / 900.},
		{"rate of a new task", *f.Tasks[1].Rate, 100 / 670.},
	} {
		if !near(row.got, row.want) {
			t.Errorf("%s is %v, want %v", row.name, row.got, row.want)
		}
	}
	if !near(whole.TaskHours, f.TaskHours) || !same(&load15.Under, run(4*minute)) || !same(&whole.Over, run(24*minute)) {
		t.Errorf("task-hours %v and %v, under %v, over %v", whole.TaskHours, f.TaskHours, load15.Under, whole.Over)
	}
}

func TestServiceTimeIsRunTimeTimesSpeedup(t *testing.T) {
	slow := Compute(seed(), seedLoad(), seedCapacity())
	line := seed()
	line.Speedup = 20
	f := Compute(line, seedLoad(), seedCapacity())
	if *f.ScaleOut != (Span{4 * minute, 80 * minute}) || f.Provisioning.Whole.Under != (Span{4 * minute, 80 * minute}) {
		t.Errorf("scale-out %v, under %v, want 4 min and 80 min", f.ScaleOut, f.Provisioning.Whole.Under)
	}
	if !near(f.TaskHours, 20*slow.TaskHours) || !near(f.Provisioning.Whole.IdealTaskHours, 20*slow.Provisioning.Whole.IdealTaskHours) {
		t.Error("task-hours are not of simulated time")
	}
	if !near(f.Provisioning.Whole.ThetaUnder, slow.Provisioning.Whole.ThetaUnder) || *f.Tasks[0].Rate != *slow.Tasks[0].Rate {
		t.Error("shares of time, and rates of requests, change with the speed of the clock")
	}
}

func TestWhatNeedsAnUnknownCapacityOrLoadIsUnknown(t *testing.T) {
	f := Compute(seed(), seedLoad(), Capacity{})
	if f.Provisioning != nil {
		t.Errorf("without a task's capacity there is %+v", f.Provisioning)
	}
	if f.Oscillations == nil || f.ScaleOut == nil || f.TaskHours == 0 {
		t.Error("what needs no capacity is missing too")
	}
	if f := Compute(seed(), nil, seedCapacity()); f.Provisioning != nil || f.Oscillations != nil {
		t.Error("without a load there is provisioning, or oscillation")
	}
	line := seed()
	line.LoadTo, line.End = line.LoadFrom, line.LoadFrom
	if p := Compute(line, seedLoad(), seedCapacity()).Provisioning; p.DuringLoad != nil || p.Whole != nil {
		t.Errorf("no time has %+v and %+v", p.DuringLoad, p.Whole)
	}
	if f := Compute(&Timeline{Speedup: 1, End: minute}, seedLoad(), seedCapacity()); f.ScaleOut != nil || f.Recovery != nil || f.Steady != nil || f.Provisioning.Whole != nil {
		t.Errorf("a timeline of nothing has %+v", f)
	}
}

// oracle looks at every step of the grid, with the plainest code: what the figures are defined as.
type oracle struct {
	thetaU, thetaO, aU, aO, under, over, paid, ideal, length float64
	requests, errors                                         float64
	highestSupply, highestDemand                             int
}

func sampled(t *Timeline, l Load, c Capacity, from, to, grid time.Duration) (o oracle) {
	for at := from; at < to; at += grid {
		var p Point
		for i, each := range t.Points {
			if i == 0 || each.At <= at {
				p = each
			}
		}
		low, rate, requests, errors := t.Min, 0., 0., 0.
		for _, b := range t.Bounds {
			if b.At <= at {
				low = b.Min
			}
		}
		for _, s := range l {
			if s.From <= at && at < s.To {
				share := float64(grid) / float64(s.To-s.From)
				rate, requests, errors = s.Rate, float64(s.Requests)*share, float64(s.Errors)*share
			}
		}
		dt := grid.Seconds()
		d, s := max(int(math.Ceil(rate/(c.PerTask*c.Utilisation))), low), p.Healthy
		o.length += dt
		o.aU += float64(max(d-s, 0)) * dt
		o.aO += float64(max(s-d, 0)) * dt
		o.thetaU += float64(max(d-s, 0)) / float64(max(d, 1)) * dt
		o.thetaO += float64(max(s-d, 0)) / float64(max(d, 1)) * dt
		if d > s {
			o.under += dt
			o.requests += requests
			o.errors += errors
		}
		if s > d {
			o.over += dt
		}
		o.paid += float64(p.Running+p.Draining) * dt
		o.ideal += float64(d) * dt
		o.highestSupply, o.highestDemand = max(o.highestSupply, s), max(o.highestDemand, d)
	}
	return o
}

func TestIntegralsAreWhatFineStepsAddUpTo(t *testing.T) {
	const grid, end = 100 * time.Millisecond, 6 * time.Second
	rapid.Check(t, func(t *rapid.T) {
		line, load := anyTimeline(grid, end).Draw(t, "timeline"), anyLoad(grid, end).Draw(t, "load")
		capacity := Capacity{rapid.Float64Range(30, 200).Draw(t, "capacity"), rapid.Float64Range(0.3, 1).Draw(t, "utilisation")}
		f := Compute(line, load, capacity)
		if len(load) == 0 {
			return
		}
		for _, window := range []struct {
			got      *Accuracy
			from, to time.Duration
		}{{f.Provisioning.DuringLoad, line.LoadFrom, line.LoadTo}, {f.Provisioning.Whole, line.LoadFrom, line.End}} {
			if window.from == window.to {
				continue
			}
			want := sampled(line, load, capacity, window.from, window.to, grid)
			for _, row := range []struct {
				name      string
				got, want float64
			}{
				{"θ_U", window.got.ThetaUnder, 100 * want.thetaU / want.length}, {"θ_O", window.got.ThetaOver, 100 * want.thetaO / want.length},
				{"a_U", window.got.AUnder, want.aU / want.length}, {"a_O", window.got.AOver, want.aO / want.length},
				{"τ_U", window.got.TauUnder, 100 * want.under / want.length}, {"τ_O", window.got.TauOver, 100 * want.over / want.length},
				{"under", window.got.Under.Service.Seconds(), want.under * line.Speedup}, {"over", window.got.Over.Run.Seconds(), want.over},
				{"task-hours", window.got.TaskHours, want.paid * line.Speedup / 3600}, {"ideal", window.got.IdealTaskHours, want.ideal * line.Speedup / 3600},
			} {
				if !near(row.got, row.want) {
					t.Fatalf("%s from %v to %v is %v, steps add up to %v", row.name, window.from, window.to, row.got, row.want)
				}
			}
		}
		want := sampled(line, load, capacity, line.LoadFrom, line.End, grid)
		p := f.Provisioning
		if math.Abs(float64(p.RequestsUnder)-want.requests) > 0.5001 || math.Abs(float64(p.ErrorsUnder)-want.errors) > 0.5001 {
			t.Fatalf("%d requests and %d errors while under, steps add up to %v and %v", p.RequestsUnder, p.ErrorsUnder, want.requests, want.errors)
		}
		if p.Overshoot != max(0, want.highestSupply-want.highestDemand) {
			t.Fatalf("overshoot %d, supply up to %d, demand up to %d", p.Overshoot, want.highestSupply, want.highestDemand)
		}
		if p.Whole != nil && !near(f.TaskHours, p.Whole.TaskHours) {
			t.Fatalf("%v task-hours, and %v", f.TaskHours, p.Whole.TaskHours)
		}
	})
}

// under30 is a timeline of desired capacity alone, under load from 0 to 10 minutes, watched for 30.
func under30(points ...Point) *Timeline {
	return &Timeline{Speedup: 1, LoadTo: 10 * minute, End: 30 * minute, Min: 2, Max: 6, Points: points}
}

// all is a Point with n tasks that are all well.
func all(at time.Duration, n int) Point { return Point{At: at, Desired: n, Running: n, Healthy: n} }

func TestAnOscillationIsAReversalThatTheLoadDidNotAskFor(t *testing.T) {
	flat := Load{{From: 0, To: 10 * minute, Rate: 300}}
	noisy := Load{}
	for i := range 600 {
		noisy = append(noisy, Step{From: time.Duration(i) * sec, To: time.Duration(i+1) * sec, Rate: 300 + 65*math.Sin(float64(i))})
	}
	staged := Load{{From: 0, To: 4 * minute, Rate: 300}, {From: 4 * minute, To: 10 * minute, Rate: 150}}
	for _, row := range []struct {
		load    Load
		line    *Timeline
		want    int
		because string
	}{
		{flat, under30(all(0, 2)), 0, "nothing changed"},
		{flat, under30(all(0, 2), all(3*minute, 4), all(5*minute, 6)), 0, "twice out is no reversal"},
		{flat, under30(all(0, 2), all(3*minute, 6), all(5*minute, 5)), 1, "out and in under one load"},
		{flat, under30(all(0, 2), all(3*minute, 6), all(5*minute, 5), all(6*minute, 6)), 2, "and out again"},
		{flat, under30(all(0, 4), all(3*minute, 3), all(5*minute, 4)), 1, "the reverse"},
		{flat, under30(all(0, 2), all(3*minute, 6), all(25*minute, 5)), 0, "in because the load ended"},
		{flat, under30(all(0, 2), all(3*minute, 6), all(25*minute, 5), all(26*minute, 6)), 1, "out with no load at all"},
		{flat, under30(all(0, 2), all(11*minute, 6), all(25*minute, 5)), 1, "a scale-out that came after the load asked for nothing"},
		{noisy, under30(all(0, 2), all(3*minute, 6), all(5*minute, 5)), 1, "more than a fifth, but what chance does in a second"},
		{staged, under30(all(0, 2), all(3*minute, 6), all(5*minute, 5)), 0, "in because the load halved"},
		{staged, under30(all(0, 2), all(5*minute, 6), all(6*minute, 5)), 1, "the load halved before both"},
		{flat, func() *Timeline {
			l := under30(all(0, 2), all(3*minute, 6), all(5*minute, 2))
			l.Bounds = []BoundsChange{{5 * minute, 2, 2}}
			return l
		}(), 0, "in because the maximum fell"},
		{flat, func() *Timeline {
			l := under30(all(0, 2), all(3*minute, 6), all(5*minute, 2))
			l.Bounds = []BoundsChange{{3 * minute, 6, 6}}
			return l
		}(), 1, "bounds that changed before both do not excuse it"},
		{flat, func() *Timeline {
			l := under30(all(0, 2), all(minute, 6), all(2*minute, 2))
			l.LoadFrom = 3 * minute
			return l
		}(), 0, "before the load"},
	} {
		mustBeValid(t, row.line)
		if got := *Compute(row.line, row.load, Capacity{}).Oscillations; got != row.want {
			t.Errorf("%s: %d oscillations, want %d", row.because, got, row.want)
		}
	}
}

func TestScaleOutAndRecoveryAreJudgedAtTheirEnds(t *testing.T) {
	for _, row := range []struct {
		line          *Timeline
		out, recovery *Span
		because       string
	}{
		{under30(all(0, 2)), nil, nil, "it never left the minimum: nothing to come back from"},
		{under30(all(0, 2), Point{3 * minute, 6, 5, 5, 0}), nil, nil, "the sixth task never came"},
		{under30(all(0, 2), all(3*minute, 4), all(4*minute, 6), all(12*minute, 4), all(13*minute, 6), all(20*minute, 2)), run(4 * minute), run(10 * minute), "the first time that it was highest, the last time that it came back"},
		{under30(all(0, 2), all(3*minute, 6), all(20*minute, 2), all(29*minute, 3)), run(3 * minute), nil, "it did not stay"},
		{under30(all(0, 2), all(11*minute, 6), all(20*minute, 2)), run(11 * minute), run(10 * minute), "at the minimum when the load ended, because it had not yet scaled"},
		{under30(all(0, 2), all(3*minute, 6), Point{20 * minute, 2, 2, 2, 4}, all(21*minute, 2)), run(3 * minute), run(11 * minute), "a draining task is there still"},
		{under30(all(0, 2), all(3*minute, 6), Point{20 * minute, 2, 4, 2, 0}, all(22*minute, 2)), run(3 * minute), run(12 * minute), "so is a running one"},
		{under30(all(0, 2), all(3*minute, 6), all(5*minute, 2)), run(3 * minute), run(0), "back before the load ended"},
		{under30(all(0, 2), all(10*minute, 6), all(20*minute, 2)), run(10 * minute), run(10 * minute), "at the very end of the load"},
		{under30(all(0, 2), all(3*minute, 6), all(20*minute, 2), Point{25 * minute, 2, 2, 1, 0}), run(3 * minute), run(10 * minute), "a task that is ill is no more capacity"},
		{func() *Timeline {
			l := under30(all(0, 2), all(3*minute, 6), all(20*minute, 4))
			l.Bounds = []BoundsChange{{15 * minute, 4, 6}}
			return l
		}(), run(3 * minute), run(10 * minute), "the minimum in force at the end"},
		{func() *Timeline {
			l := under30(all(0, 2), all(3*minute, 6), all(5*minute, 2))
			l.LoadTo = l.End
			return l
		}(), run(3 * minute), nil, "nothing was watched after the load"},
		{func() *Timeline {
			l := under30(all(0, 2), all(3*minute, 6), all(20*minute, 2))
			l.End = 20 * minute
			return l
		}(), run(3 * minute), run(10 * minute), "watched no longer than until it was back"},
		{func() *Timeline {
			l := under30(all(0, 2), all(3*minute, 6))
			l.LoadTo, l.End = 3*minute, 3*minute
			return l
		}(), run(3 * minute), nil, "the last task became healthy at the very end"},
	} {
		mustBeValid(t, row.line)
		f := Compute(row.line, nil, Capacity{})
		if !same(f.ScaleOut, row.out) || !same(f.Recovery, row.recovery) {
			t.Errorf("%s: scale-out %v, recovery %v, want %v and %v", row.because, f.ScaleOut, f.Recovery, row.out, row.recovery)
		}
	}
}

func TestSteadyIsFromTheLastChangeThatSettledToTheEndOfTheLoad(t *testing.T) {
	for _, row := range []struct {
		line    *Timeline
		from    time.Duration
		ok      bool
		because string
	}{
		{under30(all(0, 2)), 0, true, "no change: all of the load"},
		{under30(all(0, 2), Point{3 * minute, 6, 6, 5, 0}, all(4*minute, 6)), 4 * minute, true, "settled when the last one is healthy"},
		{under30(all(0, 2), Point{3 * minute, 6, 6, 5, 0}), 0, false, "never settled"},
		{under30(all(0, 2), all(10*minute, 6)), 0, true, "a change at the end of the load is not under it"},
		{under30(all(0, 2), Point{9 * minute, 6, 2, 2, 0}, all(10*minute, 6)), 0, false, "settled as the load ended"},
		{under30(all(0, 3), Point{3 * minute, 2, 2, 2, 1}, all(4*minute, 2)), 4 * minute, true, "a drain settles too"},
		{under30(all(0, 2), all(3*minute, 6), Point{5 * minute, 6, 5, 5, 0}, all(6*minute, 6)), 3 * minute, true, "a task that died does not begin it anew"},
		{under30(Point{0, 2, 0, 0, 0}, all(minute, 2)), minute, true, "not settled when the load began"},
		{func() *Timeline {
			l := under30(all(0, 2), all(10*minute, 6))
			l.End = 10 * minute
			return l
		}(), 0, true, "nor is one at the end of both load and observation"},
	} {
		mustBeValid(t, row.line)
		from, to, ok := row.line.Steady()
		if ok != row.ok || ok && (from != row.from || to != row.line.LoadTo) {
			t.Errorf("%s: steady from %v to %v, %v; want from %v, %v", row.because, from, to, ok, row.from, row.ok)
		}
	}
}

func TestPathsAreUpToTheFirstPeakAndFromTheLastOne(t *testing.T) {
	for _, row := range []struct {
		counts  []int
		out, in []int
		because string
	}{
		{[]int{2}, []int{2}, []int{2}, "no change"},
		{[]int{2, 4, 6, 4, 2}, []int{2, 4, 6}, []int{6, 4, 2}, ""},
		{[]int{2, 6, 5, 6, 4, 5, 2}, []int{2, 6}, []int{6, 4, 5, 2}, "it turned round at the peak, and on the way down"},
		{[]int{2, 4, 3, 6}, []int{2, 4, 3, 6}, []int{6}, "it turned round on the way up, and stayed"},
		{[]int{4, 2, 3}, []int{4}, []int{4, 2, 3}, "never higher than at the start"},
	} {
		var points []Point
		for i, n := range row.counts {
			points = append(points, all(time.Duration(i)*minute, n))
		}
		if f := Compute(under30(points...), nil, Capacity{}); !slices.Equal(f.ScaleOutPath, row.out) || !slices.Equal(f.ScaleInPath, row.in) {
			t.Errorf("%v: out %v, in %v; want %v and %v %s", row.counts, f.ScaleOutPath, f.ScaleInPath, row.out, row.in, row.because)
		}
	}
}

func TestActivitiesBeforeTheLoadDoNotCount(t *testing.T) {
	line := under30(all(0, 1), all(minute, 2))
	line.LoadFrom = 2 * minute
	line.Activities = []Activity{
		{At: minute, From: 1, To: 2, Status: Successful}, {At: minute, Status: NotScaled},
		{At: 2 * minute, From: 2, To: 2, Status: NotScaled}, {At: 3 * minute, From: 2, To: 3, Status: Failed},
	}
	if f := Compute(line, nil, Capacity{}); f.Activities != 1 || f.NotScaled != 1 || f.Lags.Decision != nil {
		t.Errorf("%d activities and %d not scaled, decision %v; want 1, 1 and none", f.Activities, f.NotScaled, f.Lags.Decision)
	}
}

func TestWhatCapacityCameToAtTheVeryEndIsSeen(t *testing.T) {
	line := under30(all(0, 2), all(3*minute, 6), all(20*minute, 4), all(30*minute, 2))
	f := Compute(line, nil, Capacity{})
	if !slices.Equal(f.ScaleInPath, []int{6, 4, 2}) || !same(f.Recovery, run(20*minute)) {
		t.Errorf("path %v, recovery %v, want 6 4 2 and 20 minutes", f.ScaleInPath, f.Recovery)
	}
	if at, ok := line.Settled(30 * minute); !ok || at != 30*minute {
		t.Errorf("settled at %v, %v", at, ok)
	}
	if _, ok := line.Settled(30*minute + 1); ok {
		t.Error("settled after the end")
	}
	line.LoadFrom, line.LoadTo = line.End, line.End
	if f := Compute(line, nil, Capacity{}); f.MaxTasks != 2 || f.DesiredBefore != 2 || len(f.ScaleInPath) != 1 {
		t.Errorf("of no time: %+v", f)
	}
}

func TestLagsNameTheFirstStepAndWhatNeverCame(t *testing.T) {
	high := func(at time.Duration, name string, state AlarmState) AlarmChange {
		return AlarmChange{At: at, Alarm: name, High: true, State: state}
	}
	line := under30(all(0, 2), Point{3 * minute, 6, 2, 2, 0}, Point{4 * minute, 6, 3, 2, 0})
	line.Alarms = []AlarmChange{{At: minute, Alarm: "low", State: Alarm}, high(2*minute, "high", Alarm)}
	l := Compute(line, nil, Capacity{}).Lags
	if !same(l.Alarm, run(2*minute)) || !same(l.Decision, run(3*minute)) || !same(l.Running, run(4*minute)) || l.Healthy != nil || l.FirstResponse != nil {
		t.Errorf("without activities: %+v, want alarm 2, decision 3 and running 4 minutes, no more", l)
	}
	line.Activities = []Activity{
		{At: minute, From: 2, To: 6, Status: NotScaled}, {At: 2 * minute, From: 2, To: 6, Status: Failed}, {At: 3*minute + sec, From: 2, To: 6, Status: InProgress},
	}
	if l := Compute(line, nil, Capacity{}).Lags; !same(l.Decision, run(3*minute+sec)) {
		t.Errorf("decision %v, want that of the activity that came about", l.Decision)
	}
	line.LoadFrom, line.Alarms = minute, []AlarmChange{high(0, "a", Alarm), high(0, "b", Alarm), high(30*sec, "b", OK), high(2*minute, "b", Alarm)}
	if l := Compute(line, nil, Capacity{}).Lags; !same(l.Alarm, run(0)) {
		t.Errorf("alarm %v, want 0: one was on when the load began", l.Alarm)
	}
	line.Alarms = line.Alarms[1:]
	if l := Compute(line, nil, Capacity{}).Lags; !same(l.Alarm, run(minute)) {
		t.Errorf("alarm %v, want 1 minute: the one from before was off again", l.Alarm)
	}
	in := under30(all(0, 3), Point{10 * minute, 2, 3, 3, 0}, Point{11 * minute, 2, 2, 2, 1}, all(12*minute, 2))
	if l := Compute(in, nil, Capacity{}).Lags; !same(l.ScaleIn, run(0)) || !same(l.Drain, run(2*minute)) {
		t.Errorf("scale-in %v and drain %v, want 0 and 2 minutes: it runs on, then drains", l.ScaleIn, l.Drain)
	}
}

func TestATaskServesFromItsFirstCheckUntilItIsDeregistered(t *testing.T) {
	line := under30(all(0, 2))
	life := func(healthy, draining, stopped time.Duration) Task {
		return Task{Running: Never, Healthy: healthy, Draining: draining, Stopped: stopped, FirstSent: Never}
	}
	for _, row := range []struct {
		task    Task
		want    time.Duration
		because string
	}{
		{life(0, Never, Never), 10 * minute, "all of the load"},
		{life(4*minute, Never, Never), 6 * minute, "new"},
		{life(4*minute, 5*minute, 6*minute), minute, "draining is no serving"},
		{life(4*minute, Never, 6*minute), 2 * minute, "killed"},
		{life(Never, Never, Never), 0, "never healthy"},
		{life(4*minute, 3*minute, 5*minute), 0, "deregistered before its first check"},
		{life(12*minute, Never, Never), 0, "after the load"},
	} {
		if got := row.task.served(line.LoadFrom, line.LoadTo); got != row.want {
			t.Errorf("%s: served %v, want %v", row.because, got, row.want)
		}
	}
}
