package gate

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// story is the seed's: 15 minutes of simulated time under load, out from 2 to 6 tasks after 3, and back by ones after it.
func story(speedup float64) *timeline.Timeline {
	run := func(service time.Duration) time.Duration {
		return time.Duration(float64(service) / speedup)
	}
	t := &timeline.Timeline{
		Speedup: speedup, LoadTo: run(15 * time.Minute), End: run(45 * time.Minute), Min: 2, Max: 6,
		Points: []timeline.Point{
			{At: 0, Desired: 2, Running: 2, Healthy: 2},
			{At: run(3 * time.Minute), Desired: 6, Running: 2, Healthy: 2},
			{At: run(4 * time.Minute), Desired: 6, Running: 6, Healthy: 2},
			{At: run(4*time.Minute + 30*time.Second), Desired: 6, Running: 6, Healthy: 6},
		},
		Metrics: []timeline.Datum{
			{At: run(3 * time.Minute), Policy: "requests", Value: 11250},
			{At: run(3 * time.Minute), Policy: "cpu", Value: 43.5},
		},
		Alarms: []timeline.AlarmChange{
			{At: run(3 * time.Minute), Alarm: "requests-AlarmHigh", Policy: "requests", High: true, State: timeline.Alarm},
			{At: run(30 * time.Minute), Alarm: "requests-AlarmLow", Policy: "requests", State: timeline.Alarm},
		},
		Activities: []timeline.Activity{{At: run(3 * time.Minute), Policy: "requests", From: 2, To: 6, Status: timeline.Successful}},
	}
	for i := range 3 {
		t.Activities = append(t.Activities, timeline.Activity{At: run(time.Duration(7+i) * time.Minute), Policy: "requests", From: 6, To: 6, Status: timeline.NotScaled, NotScaledReasons: []string{"AlreadyAtMaxCapacity"}})
	}
	for i := range 4 {
		at, n := 30*time.Minute+time.Duration(i)*3*time.Minute, 5-i
		t.Activities = append(t.Activities, timeline.Activity{At: run(at), Policy: "requests", From: n + 1, To: n, Status: timeline.Successful})
		t.Points = append(t.Points,
			timeline.Point{At: run(at), Desired: n, Running: n, Healthy: n, Draining: 1},
			timeline.Point{At: run(at + 30*time.Second), Desired: n, Running: n, Healthy: n})
	}
	return t
}

// figuresOf are those of a load that asks for 6 tasks.
func figuresOf(t *timeline.Timeline) timeline.Figures {
	load := timeline.Load{{From: t.LoadFrom, To: t.LoadTo, Rate: 300}}
	return timeline.Compute(t, load, timeline.Capacity{PerTask: 50})
}

// stay is a run in which capacity stayed at 2, with a maximum, and what was seen meanwhile.
func stay(high int, metrics []timeline.Datum, activities ...timeline.Activity) *timeline.Timeline {
	return &timeline.Timeline{
		Speedup: 1, LoadTo: 15 * time.Minute, End: 45 * time.Minute, Min: 2, Max: high,
		Points:  []timeline.Point{{Desired: 2, Running: 2, Healthy: 2}},
		Metrics: metrics, Activities: activities,
	}
}

func mustExpect(t *testing.T, text string) Expr {
	t.Helper()
	e, err := ParseExpectation(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTheSeedsStoryMeetsItsDefaultExpectations(t *testing.T) {
	for _, speedup := range []float64{1, 20} {
		line := story(speedup)
		if err := line.Validate(); err != nil {
			t.Fatal(err)
		}
		for _, o := range Evaluate(DefaultExpectations(Circumstances{Low: 2, High: 6, Demand: true, Recovery: true, Story: true, Under: 6 * time.Minute}), Evidence{Timeline: line, Figures: figuresOf(line), Counts: &Counts{Requests: 1000}}) {
			if !o.Passed {
				t.Errorf("at speedup %v: %+v", speedup, o)
			}
		}
	}
}

func TestAnExpectationSaysWhatWasSeenAndWhy(t *testing.T) {
	metrics := []timeline.Datum{
		{At: time.Minute, Policy: "requests", Value: 41.5}, {At: 2 * time.Minute, Policy: "requests", Value: 40},
		{At: 2 * time.Minute, Policy: "cpu", Missing: true}, {At: 20 * time.Minute, Policy: "cpu", Missing: true},
	}
	atMax := stay(2, metrics, timeline.Activity{At: 3 * time.Minute, Policy: "requests", From: 2, To: 2, Status: timeline.NotScaled, NotScaledReasons: []string{"AlreadyAtMaxCapacity"}},
		timeline.Activity{At: 20 * time.Minute, Policy: "requests", From: 2, To: 2, Status: timeline.NotScaled, NotScaledReasons: []string{"AlreadyAtMinCapacity"}})
	quiet := stay(6, metrics)
	stuck := story(1)
	stuck.Points = stuck.Points[:4]
	stuck.Activities = append(stuck.Activities[:4], timeline.Activity{At: 31 * time.Minute, Policy: "requests", From: 6, To: 6, Status: timeline.NotScaled, NotScaledReasons: []string{"TargetServicePutResourceAsUnscalable"}})
	stuck.Metrics = append(stuck.Metrics, timeline.Datum{At: 15 * time.Minute, Policy: "cpu", Missing: true}, timeline.Datum{At: 20 * time.Minute, Policy: "cpu", Missing: true})
	half := story(1)
	half.Points = half.Points[:3]
	for i, reason := range []string{"failed health checks", "died", "failed health checks", ""} {
		half.Tasks = append(half.Tasks, timeline.Task{ID: strconv.Itoa(i), Requested: 3 * time.Minute, Running: 4 * time.Minute, Healthy: timeline.Never, Stopped: 5 * time.Minute, FirstSent: timeline.Never, Draining: timeline.Never, Reason: reason})
	}
	half.Tasks[3].Healthy = 5 * time.Minute
	sick := story(1)
	sick.Points = append(sick.Points[:4:4], append([]timeline.Point{
		{At: 6 * time.Minute, Desired: 6, Running: 6, Healthy: 5}, {At: 6*time.Minute + 10*time.Second, Desired: 6, Running: 6, Healthy: 6},
		{At: 8 * time.Minute, Desired: 6, Running: 5, Healthy: 5}, {At: 8*time.Minute + 40*time.Second, Desired: 6, Running: 6, Healthy: 4}, {At: 9 * time.Minute, Desired: 6, Running: 6, Healthy: 6},
	}, sick.Points[4:]...)...)
	short := story(1)
	short.End = short.LoadTo
	short.Points, short.Activities, short.Alarms = short.Points[:4], short.Activities[:4], short.Alarms[:1]
	up := story(1)
	up.Points = append(up.Points[:4:4], timeline.Point{At: 45 * time.Minute, Desired: 3, Running: 3, Healthy: 3})

	none := math.NaN()
	for _, row := range []struct {
		line   *timeline.Timeline
		text   string
		value  float64
		passed bool
		detail string
	}{
		{story(1), "max_tasks==6", 6, true, "was 6"},
		{story(1), "max_tasks>6", 6, false, "was 6, not above"},
		{story(1), "max_tasks>5", 6, true, "was 6"},
		{story(1), "max_tasks<6", 6, false, "was 6, not below"},
		{story(1), "max_tasks!=6", 6, false, "was 6, which it must not be"},
		{story(1), "max_tasks==2", 6, false, "was 6; requests scaled out from 2 to 6 3m after the load's start"},
		{story(20), "max_tasks==2", 6, false, "was 6; requests scaled out from 2 to 6 3m (9s of the run) after the load's start"},
		{story(1), "max_tasks==8", 6, false, "was 6; not scaled: AlreadyAtMaxCapacity (requests, 3 times); the maximum is 6"},
		{atMax, "max_tasks==6", 2, false, "was 2; not scaled: AlreadyAtMaxCapacity (requests); the maximum is 2"},
		{quiet, "max_tasks==6", 2, false, "was 2; no AlarmHigh went off; the highest metric of requests was 41.5"},
		{stay(6, nil), "max_tasks==6", 2, false, "was 2"},
		{story(1), "min_tasks>=2", 2, true, "was 2"},
		{story(1), "min_tasks>=3", 2, false, "was 2"},
		{story(1), "max_desired<=5", 6, false, "was 6; requests scaled out from 2 to 6 3m after the load's start"},
		{story(1), "min_healthy>=2", 2, true, "was 2"},
		{half, "max_healthy>=6", 2, false, "was 2; tasks that stopped without ever being healthy: 2 (failed health checks), 1 (died)"},
		{story(1), "activities<=5", 5, true, "was 5"},
		{story(1), "activities<=4", 5, false, "was 5; requests scaled out from 2 to 6 3m after the load's start"},
		{story(1), "oscillations==0", 0, true, "was 0"},
		{story(1), "overshoot==0", 0, true, "was 0"},
		{story(20), "task_hours<=3.6", 214. / 60, true, "was 3.566667"},
		{story(1), "errors==0", 3, false, "was 3"},
		{story(1), "retried==0", 0, true, "was 0"},

		{story(1), "scale_out_within<=6m", 270, true, "was 4m30s"},
		{story(20), "scale_out_within<=6m", 270, true, "was 4m30s"},
		{story(1), "scale_out_within<=4m", 270, false, "was 4m30s; from the load's start: alarm after 3m, decision after 3m, first new task running after 4m, and healthy after 4m30s"},
		{story(20), "scale_out_within<=4m", 270, false, "was 4m30s; from the load's start: alarm after 3m (9s of the run), decision after 3m (9s of the run), first new task running after 4m (12s of the run), and healthy after 4m30s (13.5s of the run)"},
		{story(1), "scale_out_within<=4m29.9s", 270, false, "was 4m30s; from the load's start: alarm after 3m, decision after 3m, first new task running after 4m, and healthy after 4m30s"},
		{story(1), "scale_out_within<4m30s", 270, false, "was 4m30s, not below; from the load's start: alarm after 3m, decision after 3m, first new task running after 4m, and healthy after 4m30s"},
		{story(1), "scale_out_within>5m", 270, false, "was 4m30s"},
		{quiet, "scale_out_within<=6m", none, false, "there was no scale-out: desired was never above the 2 of the load's start; no AlarmHigh went off; the highest metric of requests was 41.5"},
		{half, "scale_out_within<=6m", none, false, "the last new task did not become healthy: 6 were desired, at most 2 healthy; tasks that stopped without ever being healthy: 2 (failed health checks), 1 (died)"},
		{story(1), "back_to_min_within<=30m", 1470, true, "was 24m30s"},
		{stuck, "back_to_min_within<=30m", none, false, "after 30m it was not back at the minimum of 2: 6 desired, 6 running, 0 draining; not scaled: TargetServicePutResourceAsUnscalable (requests); no scale-in, though AlarmLow went off: requests-AlarmLow; cpu lacked 1 datapoint"},
		{quiet, "back_to_min_within<=30m", none, false, "capacity never left the minimum of 2: there was nothing to come back from"},
		{short, "back_to_min_within<=30m", none, false, "capacity was not watched after the load"},
		{story(1), "back_to_min_within<24m", 1470, false, "was 24m30s; from the load's end: first scale-in after 15m"},
		{story(1), "time_under_provisioned<=5m", 270, true, "was 4m30s"},
		{story(1), "time_over_provisioned<=10m", 1440, false, "was 24m; from the load's end: first scale-in after 15m"},

		{story(1), "scale_in_path==6,5,4,3,2", none, true, "was 6,5,4,3,2"},
		{story(1), "scale_in_path!=6,5,4,3,2", none, false, "was 6,5,4,3,2, which it must not be"},
		{story(1), "scale_in_path==6,2", none, false, "was 6,5,4,3,2"},
		{story(1), "scale_in_path!=6,2", none, true, "was 6,5,4,3,2"},
		{story(1), "scale_in_path==8,2", none, false, "was 6,5,4,3,2; not scaled: AlreadyAtMaxCapacity (requests, 3 times); the maximum is 6"},
		{stuck, "scale_in_path==6,2", none, false, "was 6: capacity never came down; not scaled: TargetServicePutResourceAsUnscalable (requests); no scale-in, though AlarmLow went off: requests-AlarmLow; cpu lacked 1 datapoint"},
		{stuck, "scale_in_path!=6,2", none, false, "was 6: capacity never came down; not scaled: TargetServicePutResourceAsUnscalable (requests); no scale-in, though AlarmLow went off: requests-AlarmLow; cpu lacked 1 datapoint"},
		{story(1), "scale_out_path==2,6", none, true, "was 2,6"},
		{quiet, "scale_out_path==2,6", none, false, "was 2: capacity was never higher than at the load's start; no AlarmHigh went off; the highest metric of requests was 41.5"},

		{story(1), "healthy==running at steady", 6, true, "healthy was 6 and running 6, as expected at every instant of the last 10m30s of the load"},
		{story(20), "healthy==running at steady", 6, true, "healthy was 6 and running 6, as expected at every instant of the last 10m30s (31.5s of the run) of the load"},
		{sick, "healthy==running at steady", 5, false, "healthy was 5 and running 6, 6m after the load's start, and not as expected for 30s in all"},
		{sick, "tasks==6 at steady", 5, false, "was 5, 8m after the load's start, and not as expected for 40s in all"},
		{half, "running==desired", 2, false, "running was 2 and desired 6, 3m after the load's start, and not as expected for 1m in all"},
		{half, "healthy==running at steady", none, false, "no data: capacity did not settle under load (at its end 6 desired, 6 running, 2 healthy, 0 draining); without data it fails"},
		{quiet, "tasks==2", 2, true, "was 2 at the end, and as expected at every instant"},
		{story(1), "tasks==2", 6, false, "was 6, 4m after the load's start, and not as expected for 35m in all; requests scaled out from 2 to 6 3m after the load's start"},
		{story(1), "healthy>=2", 2, true, "was 2 at the end, and as expected at every instant"},
		{story(1), "running<=desired", 2, true, "running was 2 and desired 2 at the end, and as expected at every instant"},
		{story(1), "draining==0 at end", 0, true, "was 0"},
		{story(1), "tasks==3 at end", 2, false, "was 2 at the end"},
		{up, "tasks==3 at end", 3, true, "was 3"},
		{up, "tasks!=3", 3, false, "was 3, 45m after the load's start"},
	} {
		if err := row.line.Validate(); err != nil {
			t.Fatal(err)
		}
		e := mustExpect(t, row.text)
		got := Evaluate([]Expr{e}, Evidence{Timeline: row.line, Figures: figuresOf(row.line), Counts: &Counts{Requests: 1000, Errors: 3}})[0]
		same := math.IsNaN(row.value) && !got.Value.Known() || math.Abs(float64(got.Value)-row.value) < 1e-6
		if !same || got.Passed != row.passed || got.Detail != row.detail || got.Expression != e.String() {
			t.Errorf("%s\n got %v %v %s\nwant %v %v %s", row.text, got.Value, got.Passed, got.Detail, row.value, row.passed, row.detail)
		}
	}
}

func TestAnExpectationWithoutDataFailsAndSaysSo(t *testing.T) {
	line := story(1)
	unknown := timeline.Compute(line, nil, timeline.Capacity{})
	cut := story(1)
	cut.LoadTo, cut.End = 0, 0
	for _, row := range []struct {
		text   string
		line   *timeline.Timeline
		f      timeline.Figures
		counts *Counts
		want   string
	}{
		{"max_tasks>=2", nil, timeline.Figures{}, nil, "no data: capacity was not watched; without data it fails"},
		{"scale_out_within<=6m", nil, timeline.Figures{}, nil, "no data: capacity was not watched; without data it fails"},
		{"scale_in_path!=6,5", nil, timeline.Figures{}, nil, "no data: capacity was not watched; without data it fails"},
		{"tasks!=9", nil, timeline.Figures{}, nil, "no data: capacity was not watched; without data it fails"},
		{"tasks!=9", cut, timeline.Figures{}, nil, "no data: capacity was watched for no time; without data it fails"},
		{"tasks!=9 at steady", stay(6, nil), timeline.Figures{}, nil, ""},
		{"errors==0", nil, timeline.Figures{}, nil, "no data: no requests were sent; without data it fails"},
		{"errors==0", line, unknown, &Counts{}, "no data: no request completed; without data it fails"},
		{"errors==0", nil, timeline.Figures{}, &Counts{Requests: 1}, ""},
		{"oscillations==0", line, unknown, nil, "no data: the load is not known; without data it fails"},
		{"overshoot==0", line, unknown, nil, "no data: what one task can do is not known, so neither is the load's demand; without data it fails"},
	} {
		e := mustExpect(t, row.text)
		got := Evaluate([]Expr{e}, Evidence{Timeline: row.line, Figures: row.f, Counts: row.counts})[0]
		if row.want == "" && !got.Passed || row.want != "" && (got.Passed || got.Value.Known() || got.Detail != row.want) {
			t.Errorf("%s\n got %+v\nwant %s", row.text, got, row.want)
		}
	}
	for _, text := range []string{"time_under_provisioned<=1h", "time_over_provisioned>=1s"} {
		got := Evaluate([]Expr{mustExpect(t, text)}, Evidence{Timeline: line, Figures: unknown})[0]
		if got.Passed || got.Value.Known() || !strings.Contains(got.Detail, demandUnknown) {
			t.Errorf("%s: %+v", text, got)
		}
	}
	if got := Evaluate(nil, Evidence{Timeline: line, Figures: unknown}); got == nil || len(got) != 0 {
		t.Errorf("no expectations give %#v, want an empty list", got)
	}
}

// The oracle asks every point in the plainest way.
func TestALevelHoldsWhereEachInstantOfItDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		few := rapid.IntRange(0, 3)
		line := &timeline.Timeline{Speedup: 1, LoadTo: 10 * time.Second, End: 20 * time.Second, Max: 3}
		for at := time.Duration(0); at <= line.End; at += time.Duration(rapid.IntRange(1, 8).Draw(t, "seconds")) * time.Second {
			running := few.Draw(t, "running")
			line.Points = append(line.Points, timeline.Point{At: at, Desired: few.Draw(t, "desired"), Running: running, Healthy: min(running, few.Draw(t, "healthy"))})
		}
		limit := few.Draw(t, "limit")
		e := Expr{Subject: Healthy, Op: rapid.SampledFrom([]Op{Less, LessEqual, Greater, GreaterEqual, Equal, NotEqual}).Draw(t, "op"), Limit: float64(limit)}
		e.At = rapid.SampledFrom([]Moment{Always, AtSteady, AtEnd}).Draw(t, "at")
		from, to := line.LoadFrom, line.End
		want := true
		switch e.At {
		case AtSteady:
			var ok bool
			if from, to, ok = line.Steady(); !ok {
				want = false
			}
			to--
		case AtEnd:
			from = line.End
		}
		for at := from; at <= to; at += time.Second {
			var now timeline.Point
			for _, p := range line.Points {
				if p.At <= at {
					now = p
				}
			}
			holds := map[Op]bool{
				Less: now.Healthy < limit, LessEqual: now.Healthy <= limit, Greater: now.Healthy > limit,
				GreaterEqual: now.Healthy >= limit, Equal: now.Healthy == limit, NotEqual: now.Healthy != limit,
			}[e.Op]
			want = want && holds
		}
		if got := Evaluate([]Expr{e}, Evidence{Timeline: line})[0]; got.Passed != want {
			t.Fatalf("%s of %v: %+v, want %v", e, line.Points, got, want)
		}
	})
}

func TestADetailStaysALineWhateverNamesItHas(t *testing.T) {
	line := stay(6, nil)
	for i := range 20 {
		name := strings.Repeat("p", i) + "\n"
		line.Metrics = append(line.Metrics, timeline.Datum{At: time.Minute, Policy: name, Value: 1}, timeline.Datum{At: 20 * time.Minute, Policy: name, Missing: true})
		line.Activities = append(line.Activities, timeline.Activity{At: time.Minute, Policy: name, Status: timeline.NotScaled, NotScaledReasons: []string{name}})
	}
	var all []result.Outcome
	for _, text := range []string{"max_tasks==6", "scale_out_within<=6m", "back_to_min_within<=30m"} {
		if text == "back_to_min_within<=30m" {
			line.Points[0].Desired = 3
		}
		all = append(all, Evaluate([]Expr{mustExpect(t, text)}, Evidence{Timeline: line, Figures: figuresOf(line)})...)
	}
	for _, o := range all {
		if strings.ContainsAny(o.Detail, "\n\r") || len(o.Detail) > 1000 || !strings.Contains(o.Detail, "…") {
			t.Errorf("%q is no line, or one of %d bytes", o.Detail, len(o.Detail))
		}
	}
}
