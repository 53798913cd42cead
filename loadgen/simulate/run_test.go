package simulate

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/timeline"
)

func load(t testing.TB, text string) Load {
	t.Helper()
	l, err := ParseLoad(text)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func simulate(t testing.TB, c Config) Result {
	t.Helper()
	r, err := Run(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Timeline.Validate(); err != nil {
		t.Fatal(err)
	}
	return r
}

func at(minutes, seconds int) time.Duration {
	return time.Duration(minutes)*time.Minute + time.Duration(seconds)*time.Second
}

// The seed's run, by hand: 390/s after a ramp of 10 s, for three minutes of simulated time. Minute 1 has 390 × 55 requests,
// 2 and 3 have 390 × 60, over 2 tasks: 10,725, 11,700, 11,700 and on average 11,375. 2 × 11,375 ÷ 50 = 455
// tasks at 3:00; 6 are allowed. Placed, pulled and started in 35 s, healthy 10 s later. Fifteen minutes without load:
// 18:00. Then each 30 s of drain and 120 s of cooldown end at half past, and the next minute acts.
func TestTheSeedsRunIsWhatItIsByHand(t *testing.T) {
	c := DefaultConfig()
	c.Load = load(t, "0s:0,10s:390,3m:390")
	r := simulate(t, c)

	wantPoints := []timeline.Point{
		{At: 0, Desired: 2, Running: 2, Healthy: 2},
		{At: at(3, 0), Desired: 6, Running: 2, Healthy: 2},
		{At: at(3, 35), Desired: 6, Running: 6, Healthy: 2},
		{At: at(3, 45), Desired: 6, Running: 6, Healthy: 6},
		{At: at(18, 0), Desired: 5, Running: 5, Healthy: 5, Draining: 1},
		{At: at(18, 30), Desired: 5, Running: 5, Healthy: 5},
		{At: at(21, 0), Desired: 4, Running: 4, Healthy: 4, Draining: 1},
		{At: at(21, 30), Desired: 4, Running: 4, Healthy: 4},
		{At: at(24, 0), Desired: 3, Running: 3, Healthy: 3, Draining: 1},
		{At: at(24, 30), Desired: 3, Running: 3, Healthy: 3},
		{At: at(27, 0), Desired: 2, Running: 2, Healthy: 2, Draining: 1},
		{At: at(27, 30), Desired: 2, Running: 2, Healthy: 2},
	}
	if !slices.Equal(r.Timeline.Points, wantPoints) {
		t.Errorf("points are\n%v\nwant\n%v", r.Timeline.Points, wantPoints)
	}
	var metrics []string
	for _, m := range r.Timeline.Metrics[:8] {
		metrics = append(metrics, fmt.Sprintf("%s %s %.6g", m.At, m.Policy, m.Value))
	}
	// CPU of minute 1: ∫ min(39 t, 240) is 240 × 60 − 240 × 6.154 ÷ 2 = 13,661.5 of 14,400.
	wantMetrics := []string{
		"1m0s cpu 94.8718", "1m0s requests 10725", "2m0s cpu 100", "2m0s requests 11700",
		"3m0s cpu 100", "3m0s requests 11700", "4m0s cpu 0", "4m0s requests 0",
	}
	if !slices.Equal(metrics, wantMetrics) {
		t.Errorf("metrics are\n%q\nwant\n%q", metrics, wantMetrics)
	}
	var alarms []string
	for _, a := range r.Timeline.Alarms {
		alarms = append(alarms, fmt.Sprintf("%s %s %s", a.At, a.Alarm, a.State))
	}
	wantAlarms := []string{
		"1m0s cpu-AlarmLow OK", "1m0s requests-AlarmLow OK",
		"3m0s cpu-AlarmHigh ALARM", "3m0s requests-AlarmHigh ALARM",
		"4m0s cpu-AlarmHigh OK", "4m0s requests-AlarmHigh OK",
		"18m0s cpu-AlarmLow ALARM", "18m0s requests-AlarmLow ALARM",
	}
	if !slices.Equal(alarms, wantAlarms) {
		t.Errorf("alarms are\n%q\nwant\n%q", alarms, wantAlarms)
	}
	var activities []string
	for _, a := range r.Timeline.Activities {
		activities = append(activities, fmt.Sprintf("%s to %s: %d to %d by %s, %s", a.At, a.Completed, a.From, a.To, a.Policy, a.Status))
	}
	wantActivities := []string{
		"3m0s to 3m35s: 2 to 6 by requests, Successful",
		"18m0s to 18m30s: 6 to 5 by cpu, Successful",
		"21m0s to 21m30s: 5 to 4 by cpu, Successful",
		"24m0s to 24m30s: 4 to 3 by cpu, Successful",
		"27m0s to 27m30s: 3 to 2 by cpu, Successful",
	}
	if !slices.Equal(activities, wantActivities) {
		t.Errorf("activities are\n%q\nwant\n%q", activities, wantActivities)
	}
	if want := "monitor alarm TargetTracking-service/lab/api-AlarmHigh-requests in state ALARM triggered policy requests (455 tasks wanted, max capacity is 6)"; r.Timeline.Activities[0].Cause != want {
		t.Errorf("the cause is %q, want %q", r.Timeline.Activities[0].Cause, want)
	}
	// Load passes 240 at 240 ÷ 39 s and ends at 180 s. Two tasks for 1,650 s; the others from 215 s until 1,110, 1,290, 1,470, 1,650 s.
	want := Summary{
		UnderProvisioned: 180*time.Second - time.Duration(math.Round(240.0/39*1e9)),
		TaskHours:        (2*1650 + 895 + 1075 + 1255 + 1435) / 3600.0,
		MaxTasks:         6, FirstWanted: 455, Activities: 5, Decided: "requests, cpu",
		FirstActivity: at(3, 0), AllHealthy: at(3, 45), BackToMin: at(27, 30),
	}
	got := r.Summary
	if d := (got.UnderProvisioned - want.UnderProvisioned).Abs(); d > time.Microsecond {
		t.Errorf("under-provisioned for %s, want %s", got.UnderProvisioned, want.UnderProvisioned)
	}
	if math.Abs(got.TaskHours-want.TaskHours) > 1e-9 {
		t.Errorf("%v task-hours, want %v", got.TaskHours, want.TaskHours)
	}
	got.UnderProvisioned, got.TaskHours = want.UnderProvisioned, want.TaskHours
	if got != want {
		t.Errorf("the summary is %+v, want %+v", got, want)
	}
}

// In the lab at speedup 20 the seed's three minutes are an hour of simulated time: the load meets the six tasks.
func TestSixTasksAreEnoughForTheSeedsLoad(t *testing.T) {
	c := DefaultConfig()
	c.Load = load(t, "0s:0,200s:390,60m:390")
	r := simulate(t, c)
	// From 4:00 on: 65 a second for each of six tasks, 54 % of 120.
	for _, m := range r.Timeline.Metrics {
		if m.At < at(5, 0) || m.At > at(60, 0) {
			continue
		}
		want := map[string]float64{"requests": 3900, "cpu": 100 * 65.0 / 120}[m.Policy]
		if m.At >= at(8, 0) && math.Abs(m.Value-want) > 1e-6 {
			t.Fatalf("%s at %s is %v, want %v", m.Policy, m.At, m.Value, want)
		}
	}
	last := r.Timeline.Activities[1]
	if last.Status != timeline.NotScaled || !slices.Equal(last.NotScaledReasons, []string{"AlreadyAtMaxCapacity"}) {
		t.Errorf("while the load lasts: %+v, want AlreadyAtMaxCapacity", last)
	}
	if r.Summary.BackToMin != at(84, 30) {
		t.Errorf("back at the minimum at %s, want 1h24m30s", r.Summary.BackToMin)
	}
	if six := r.Timeline.Tasks[5]; six.FirstSent != six.Healthy || six.Requests == 0 {
		t.Errorf("the sixth task is %+v, want it to answer from when it is healthy", six)
	}
}

func TestFiftyAMinuteAsksFor450Tasks(t *testing.T) {
	c := DefaultConfig()
	c.Load = load(t, "0s:375,15m:375")
	r := simulate(t, c)
	if r.Summary.FirstWanted != 450 || r.Summary.MaxTasks != 6 {
		t.Errorf("wanted %d and had %d, want 450 and 6: 22,500 a minute ÷ 50", r.Summary.FirstWanted, r.Summary.MaxTasks)
	}
	// A target that fits what a task can do asks for what the load needs: 120/s × 60 × 70 % is 5,040, and
	// 22,500 ÷ 5,040 is 4.5.
	c.Policies = []autoscaling.Policy{autoscaling.TargetTracking{On: "requests", Target: 5040}}
	if r := simulate(t, c); r.Summary.FirstWanted != 5 {
		t.Errorf("wanted %d, want 5", r.Summary.FirstWanted)
	}
}

func TestRecoveryTakes24And30SecondsTo25And30SecondsWhereverTheLoadEnds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		end := time.Duration(rapid.IntRange(200, 3600).Draw(t, "end")) * time.Second
		c := DefaultConfig()
		c.Load = Load{{0, 0}, {10 * time.Second, 390}, {end, 390}}
		r, err := Run(c)
		if err != nil {
			t.Fatal(err)
		}
		if d := r.Summary.BackToMin - end; d < at(24, 30) || d >= at(25, 30) {
			t.Fatalf("recovery took %s", d)
		}
		if r.Timeline.End != r.Summary.BackToMin {
			t.Fatalf("watched until %s, want until it was back at %s", r.Timeline.End, r.Summary.BackToMin)
		}
	})
}

func TestLoadJustUnderTheTargetDoesNotScale(t *testing.T) {
	c := DefaultConfig()
	c.Policies = []autoscaling.Policy{autoscaling.TargetTracking{On: "requests", Target: 5000}}
	c.Load = Load{{0, 0.85 * 2 * 5000 / 60}, {2 * time.Hour, 0.85 * 2 * 5000 / 60}}
	r := simulate(t, c)
	want := Summary{TaskHours: 2 * 121.0 / 60, MaxTasks: 2, FirstActivity: timeline.Never, AllHealthy: timeline.Never, BackToMin: timeline.Never}
	if math.Abs(r.Summary.TaskHours-want.TaskHours) < 1e-9 {
		r.Summary.TaskHours = want.TaskHours
	}
	if r.Summary != want {
		t.Errorf("%+v, want nothing to happen", r.Summary)
	}
	if r.Timeline.End != 2*time.Hour+time.Minute {
		t.Errorf("watched until %s, want one minute without load", r.Timeline.End)
	}
}

func TestAnAlarmThatComesAfterTheLoadIsSeen(t *testing.T) {
	c := DefaultConfig()
	c.MetricDelay = 90 * time.Second
	c.Load = load(t, "0s:390,3m:390")
	r := simulate(t, c)
	if r.Summary.MaxTasks != 6 || r.Summary.FirstActivity != at(4, 30) {
		t.Errorf("%+v, want the scale-out at 4m30s, 90 s after its datapoint", r.Summary)
	}
	// It was at its minimum when the load ended, but not to stay. The fifteenth low datapoint is seen at 19:30.
	if r.Summary.BackToMin != at(29, 0) {
		t.Errorf("back at %s, want 29m", r.Summary.BackToMin)
	}
}

func TestRecoveryIsWatchedNoLongerThanAsked(t *testing.T) {
	c := DefaultConfig()
	c.Load = load(t, "0s:390,10m:390")
	c.Recovery = 20 * time.Minute
	r := simulate(t, c)
	if r.Timeline.End != at(30, 0) || r.Summary.BackToMin != timeline.Never {
		t.Errorf("watched until %s, back at %s, want 30m and never", r.Timeline.End, r.Summary.BackToMin)
	}
	c.Recovery = 0
	if r := simulate(t, c); r.Timeline.End != at(10, 0) {
		t.Errorf("watched until %s, want the end of the load", r.Timeline.End)
	}
	c.Recovery, c.Whole = time.Hour, true
	if r := simulate(t, c); r.Timeline.End != at(70, 0) || r.Summary.BackToMin != at(34, 30) {
		t.Errorf("watched until %s, back at %s, want 70m and 34m30s", r.Timeline.End, r.Summary.BackToMin)
	}
}

func TestWithoutATaskThereIsNoDatapointAndNoDecision(t *testing.T) {
	c := DefaultConfig()
	c.Min = 0
	c.Load = load(t, "0s:390,30m:390")
	r := simulate(t, c)
	for _, m := range r.Timeline.Metrics {
		if !m.Missing {
			t.Fatalf("%+v without a task", m)
		}
	}
	if len(r.Timeline.Activities) != 0 || r.Summary.UnderProvisioned != 30*time.Minute {
		t.Errorf("activities %v, under-provisioned for %s", r.Timeline.Activities, r.Summary.UnderProvisioned)
	}
}

func TestRecoveryIsCountedAfterTheLoad(t *testing.T) {
	c := DefaultConfig()
	c.Load = load(t, "0s:390,3m:390,3m:0,60m:0") // back at 27:30, and then nothing for half an hour that is still load
	if r := simulate(t, c); r.Summary.BackToMin != time.Hour || r.Timeline.End != time.Hour+time.Minute {
		t.Errorf("back at %s and watched until %s, want 1h, when the load ends, and a minute without load", r.Summary.BackToMin, r.Timeline.End)
	}
}

func TestTasksThatComeAndLeaveInNoTimeAreThereAtOnce(t *testing.T) {
	c := DefaultConfig()
	c.TaskStart, c.Health, c.Drain = autoscaling.TaskStart{}, 0, 0
	c.ScaleInCooldown = 0
	c.Load = load(t, "0s:390,5m:390")
	r := simulate(t, c)
	if p := r.Timeline.At(at(3, 0)); p.Healthy != 6 || r.Timeline.Activities[0].Completed != at(3, 0) {
		t.Errorf("at 3:00 %+v, %+v", p, r.Timeline.Activities[0])
	}
	if r.Summary.BackToMin != at(23, 0) { // 20, 21, 22, 23
		t.Errorf("back at %s, want 23m: one step a minute", r.Summary.BackToMin)
	}
}

func TestATaskThatLeftHasNotAnsweredTheLoadThatCameLater(t *testing.T) {
	c := DefaultConfig()
	c.Load = load(t, "0s:390,3m:390,3m:0,40m:0,40m:10,45m:10")
	for _, task := range simulate(t, c).Timeline.Tasks[2:6] {
		if task.FirstSent != timeline.Never || task.Requests != 0 {
			t.Errorf("%+v was healthy only while there was no load", task)
		}
	}
}

func drawConfig(t *rapid.T) Config {
	c := DefaultConfig()
	c.Min = rapid.IntRange(0, 3).Draw(t, "min")
	c.Max = rapid.IntRange(max(c.Min, 1), 20).Draw(t, "max")
	c.Initial = rapid.SampledFrom([]int{0, 1, 2, 8}).Draw(t, "initial")
	c.Policies = []autoscaling.Policy{
		autoscaling.TargetTracking{On: "requests", Target: rapid.SampledFrom([]float64{50, 2000, 5000}).Draw(t, "target")},
		autoscaling.TargetTracking{On: "cpu", Target: 60, DisableScaleIn: rapid.Bool().Draw(t, "out only")},
	}
	c.Low = autoscaling.Evaluation{Periods: 4, Datapoints: 4}
	c.ScaleIn = rapid.SampledFrom([]autoscaling.ScaleInModel{autoscaling.ScaleInStep, autoscaling.ScaleInProportional}).Draw(t, "model")
	seconds := func(name string, most int) time.Duration {
		return time.Duration(rapid.IntRange(0, most).Draw(t, name)) * time.Second
	}
	c.TaskStart = autoscaling.TaskStart{Created: seconds("created", 60), Running: seconds("running", 120)}
	c.Health = seconds("health", 30)
	c.Drain, c.ScaleOutCooldown, c.ScaleInCooldown = seconds("drain", 120), seconds("out", 200), seconds("in", 200)
	c.MetricDelay = seconds("delay", 150)
	now := time.Duration(0)
	for range rapid.IntRange(2, 12).Draw(t, "points") {
		c.Load = append(c.Load, Point{now, float64(rapid.SampledFrom([]int{0, 0, 60, 119, 240, 390, 1000, 3000}).Draw(t, "rate"))})
		now += seconds("then", 600)
	}
	if c.Load.End() == 0 {
		c.Load = append(c.Load, Point{time.Minute, 100})
	}
	return c
}

// The slow way: the figures of every period again, from the points that the run left, in cells of an eighth of a second.
// Everything happens on whole seconds and lines are straight, so that the middle of a cell is exact, but for the
// cell in which load passes what the tasks can do.
func TestMetricsAreTheIntegralsOverTheTimelinesPoints(t *testing.T) {
	const cells = 8
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		r, err := Run(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Timeline.Validate(); err != nil {
			t.Fatal(err)
		}
		rate := func(at time.Duration) float64 {
			for i := 1; i < len(c.Load); i++ {
				if a, b := c.Load[i-1], c.Load[i]; a.At <= at && at < b.At {
					return a.Rate + (b.Rate-a.Rate)*float64(at-a.At)/float64(b.At-a.At)
				}
			}
			return 0
		}
		perTarget, done, could, anyHealthy := map[int]float64{}, map[int]float64{}, map[int]float64{}, map[int]bool{}
		under, hours, all, answered := 0.0, 0.0, 0.0, 0.0
		// A line passes what the tasks can do at most once, between changes of what that is.
		passing := float64(len(c.Load) + len(r.Timeline.Points))
		p := 0
		for i := range int(r.Timeline.End/time.Second) * cells {
			at := time.Duration(2*i+1) * time.Second / (2 * cells)
			for p+1 < len(r.Timeline.Points) && r.Timeline.Points[p+1].At <= at {
				p++
			}
			now, x, period := r.Timeline.Points[p], rate(at)/cells, int(at/c.Period)+1
			can := float64(now.Healthy) * c.TaskCapacity / cells
			all += x
			if x > can {
				under += 1.0 / cells
			}
			if now.Healthy > 0 {
				perTarget[period] += x / float64(now.Healthy)
				anyHealthy[period] = true
				answered += x
			}
			done[period] += min(x, can)
			could[period] += float64(now.Running) * c.TaskCapacity / cells
			hours += float64(now.Running+now.Draining) / cells / 3600
		}
		for _, m := range r.Timeline.Metrics {
			period := int(m.At / c.Period)
			want, missing, off := perTarget[period], !anyHealthy[period], 1e-6*(1+perTarget[period])
			if m.Policy == "cpu" {
				want, missing = 100*done[period]/could[period], could[period] == 0
				// In each cell with a passing, at most slope × width² ÷ 8, the slope being at most 3,000/s in a second.
				off = 1e-6 + 100*passing*3000/(8*cells*cells)/could[period]
			}
			if m.Missing != missing || !missing && math.Abs(m.Value-want) > off {
				t.Fatalf("%s at %s is %v (missing %v), want %v (%v)", m.Policy, m.At, m.Value, m.Missing, want, missing)
			}
		}
		if math.Abs(r.Summary.UnderProvisioned.Seconds()-under) > passing/cells || math.Abs(r.Summary.TaskHours-hours) > 1e-6 {
			t.Fatalf("under-provisioned for %s, want %vs; %v task-hours, want %v", r.Summary.UnderProvisioned, under, r.Summary.TaskHours, hours)
		}
		given := 0.0
		for _, task := range r.Timeline.Tasks {
			given += float64(task.Requests)
		}
		if math.Abs(given-answered) > 1+float64(len(r.Timeline.Tasks))/2 {
			t.Fatalf("the tasks were given %v requests, want %v of %v", given, answered, all)
		}
	})
}

// What the lab or a recording gives the autoscaler must lead to what the simulation did.
func TestTheSameDatapointsGiveTheSameDecisions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		c.TaskStart.Created += time.Second / 3 // so that tasks do not come on the instant of a decision,
		c.Drain += time.Second / 3             // where a point does not say which was first
		r, err := Run(c)
		if err != nil {
			t.Fatal(err)
		}
		s, err := autoscaling.New(c.Config)
		if err != nil {
			t.Fatal(err)
		}
		points, metrics := r.Timeline.Points, r.Timeline.Metrics
		last := points[0]
		for period := 1; len(metrics) > 0; period++ {
			values := map[string]float64{}
			for ; len(metrics) > 0 && metrics[0].At <= time.Duration(period)*c.Period; metrics = metrics[1:] {
				if !metrics[0].Missing {
					values[metrics[0].Policy] = metrics[0].Value
				}
			}
			for ; len(points) > 0 && points[0].At < s.Due(period); points = points[1:] {
				last = points[0]
				s.Settle(last.At, last.Running, last.Draining)
			}
			s.Step(autoscaling.Observation{Period: period, Running: last.Running, Draining: last.Draining, Values: values})
		}
		for _, p := range points {
			s.Settle(p.At, p.Running, p.Draining)
		}
		if got, want := fmt.Sprintf("%+v", s.Activities()), fmt.Sprintf("%+v", r.Timeline.Activities); got != want {
			t.Fatalf("the replay did\n%s\nwant\n%s", got, want)
		}
	})
}

func TestTheSameConfigurationGivesTheSameResult(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		a, err := Run(c)
		b, err2 := Run(c)
		if err != nil || err2 != nil || fmt.Sprintf("%+v", a) != fmt.Sprintf("%+v", b) {
			t.Fatalf("%v, %v:\n%+v\n%+v", err, err2, a, b)
		}
	})
}

func day() Load {
	var l Load
	for m := range 24*60 + 1 {
		l = append(l, Point{time.Duration(m) * time.Minute, 200 - 190*math.Cos(2*math.Pi*float64(m)/(24*60))})
	}
	return l
}

// A day of minutes is to take less than 50 ms.
func BenchmarkADayOfMinutes(b *testing.B) {
	c := DefaultConfig()
	c.Max, c.Load = 50, day()
	c.Policies = []autoscaling.Policy{autoscaling.TargetTracking{On: "requests", Target: 1000}, autoscaling.TargetTracking{On: "cpu", Target: 50}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Run(c); err != nil {
			b.Fatal(err)
		}
	}
}

// A thousand tasks that come and go with a load like a saw.
func BenchmarkADayOfThousandsOfTasks(b *testing.B) {
	c := DefaultConfig()
	c.Max = autoscaling.MaxTasks
	c.ScaleIn, c.Low = autoscaling.ScaleInProportional, autoscaling.Evaluation{Periods: 3, Datapoints: 3}
	for h := range 25 {
		c.Load = append(c.Load, Point{time.Duration(h) * time.Hour, float64(h%2) * 2e5})
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Run(c); err != nil {
			b.Fatal(err)
		}
	}
}

// A task's life and the points are two books of the same thing.
func TestTheTasksLivesAddUpToThePoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, err := Run(drawConfig(t))
		if err != nil {
			t.Fatal(err)
		}
		during := func(at, from, to time.Duration) bool { return from >= 0 && from <= at && (to < 0 || at < to) }
		earlier := func(a, b time.Duration) time.Duration {
			if a < 0 || b >= 0 && b < a {
				return b
			}
			return a
		}
		for _, p := range r.Timeline.Points {
			got := timeline.Point{At: p.At, Desired: p.Desired}
			for _, task := range r.Timeline.Tasks {
				leaves := earlier(task.Draining, task.Stopped)
				if during(p.At, task.Running, leaves) {
					got.Running++
				}
				if during(p.At, task.Healthy, leaves) {
					got.Healthy++
				}
				if during(p.At, task.Draining, task.Stopped) {
					got.Draining++
				}
			}
			if got != p {
				t.Fatalf("the tasks make %+v, and the points have %+v", got, p)
			}
		}
	})
}

func TestTheTimelinesFiguresAgreeWithTheSummary(t *testing.T) {
	c := DefaultConfig()
	c.Load = load(t, "0s:100,5m:100,5m:390,40m:390,40m:10,50m:10")
	r := simulate(t, c)
	steps := c.Load.Over(time.Minute)
	if err := steps.Validate(); err != nil || len(steps) != 50 {
		t.Fatalf("%d steps, %v", len(steps), err)
	}
	f := timeline.Compute(&r.Timeline, steps, timeline.Capacity{PerTask: c.TaskCapacity})
	if f.TaskHours != r.Summary.TaskHours || f.MaxTasks != r.Summary.MaxTasks || f.Activities != r.Summary.Activities {
		t.Errorf("%v task-hours, %d tasks, %d activities; the summary is %+v", f.TaskHours, f.MaxTasks, f.Activities, r.Summary)
	}
	if under := f.Provisioning.Whole.Under.Service; under != r.Summary.UnderProvisioned {
		t.Errorf("under-provisioned for %s, and the summary says %s", under, r.Summary.UnderProvisioned)
	}
	if back := f.Recovery.Service; back != r.Summary.BackToMin-c.Load.End() {
		t.Errorf("back after %s, and the summary says at %s", back, r.Summary.BackToMin)
	}
}
