package report

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// scaled is a run with a timeline.
type scaled struct {
	*sample
	timeline     *timeline.Timeline
	expectations []result.Outcome
	load         timeline.Load
	capacity     timeline.Capacity
}

func (s *scaled) input() Input {
	in := s.sample.input()
	in.Timeline, in.Expectations = s.timeline, s.expectations
	return in
}

// on compresses a timeline of simulated time onto the run's clock.
func on(t *timeline.Timeline, speedup float64) *timeline.Timeline {
	at := func(d *time.Duration) {
		if *d > 0 {
			*d = time.Duration(float64(*d) / speedup)
		}
	}
	for i := range t.Points {
		at(&t.Points[i].At)
	}
	for i := range t.Metrics {
		at(&t.Metrics[i].At)
	}
	for i := range t.Alarms {
		at(&t.Alarms[i].At)
	}
	for i := range t.Activities {
		at(&t.Activities[i].At)
		at(&t.Activities[i].Completed)
	}
	for i := range t.Tasks {
		k := &t.Tasks[i]
		for _, d := range []*time.Duration{&k.Requested, &k.Running, &k.Healthy, &k.FirstSent, &k.Draining, &k.Stopped} {
			at(d)
		}
		k.Zone = "ab"[i%2 : i%2+1]
		k.Requests = int64(float64(k.Requests) / speedup)
	}
	at(&t.LoadTo)
	at(&t.End)
	t.Speedup = speedup
	return t
}

// recorded is a timeline that package simulate made, in simulated time: the seed's load or one like
// it on the default service, but for what its name says.
func recorded(name string) *timeline.Timeline {
	data, err := os.ReadFile("testdata/timelines/" + name + ".json")
	if err != nil {
		panic(err)
	}
	t, err := timeline.Decode(data)
	if err != nil {
		panic(err)
	}
	return t
}

// scaledRun has the load of a sample's windows, whose latency answers to capacity: per task so many
// requests a second, of which 120 keep it short.
func scaledRun(p plan.Plan, t *timeline.Timeline, capacity timeline.Capacity) *scaled {
	s := &scaled{sample: begin(p, 0, "GET /", "GET /health"), timeline: t}
	random := rand.New(rand.NewPCG(7, 7))
	var load timeline.Load
	for _, w := range s.windows {
		w.Users = int(min(w.To.Seconds()*p.SpawnRate+1, float64(p.Users)))
		healthy := t.At((w.From + w.To) / 2).Healthy
		latency, rate := 9*ms, float64(w.Users)*7.48
		if limit := float64(healthy) * 120; rate > limit {
			rate, latency = limit, time.Duration(float64(w.Users)/limit*float64(time.Second))-125*ms
		}
		n := int64(rate * w.Seconds())
		if w.Name == plan.Drain {
			n = 3
		}
		for left := n; left > 0; left -= 8 {
			doneN(w, random.IntN(2), min(left, 8), about(random, latency), about(random, 90*us), 0)
		}
		w.Connections = result.Connections{Reused: n}
		if w.Name != plan.Drain {
			load = append(load, timeline.Step{From: w.From, To: w.To, Rate: rate, Requests: n})
		}
	}
	s.load, s.capacity = load, capacity
	s.compute()
	return s
}

// compute gives the result the figures of the timeline.
func (s *scaled) compute() {
	figures, err := json.Marshal(timeline.Compute(s.timeline, s.load, s.capacity))
	if err != nil {
		panic(err)
	}
	s.result().Elasticity = figures
}

func known() timeline.Capacity { return timeline.Capacity{PerTask: 120, Utilisation: 0.9} }

func labPlan() plan.Plan {
	p := seedPlan()
	p.Host = "http://127.0.0.1:41873"
	return p
}

func outcome(passed bool, expression string, value float64, detail string) result.Outcome {
	return result.Outcome{Expression: expression, Value: result.Reading(value), Passed: passed, Detail: detail}
}

// grownRun is the seed's claim: 2 → 6 → 5 → 4 → 3 → 2, at 20 times the speed.
func grownRun() *scaled {
	s := scaledRun(labPlan(), on(recorded("seed-hour"), 20), known())
	s.expectations = []result.Outcome{
		outcome(true, "max_tasks==6", 6, "was 6"),
		outcome(true, "min_tasks>=2", 2, "was 2"),
		outcome(true, "scale_out_within<=6m", 225, "was 3m45s"),
		outcome(true, "scale_in_path==6,5,4,3,2", 1, "was 6,5,4,3,2"),
		outcome(true, "back_to_min_within<=30m", 1470, "was 24m30s"),
		outcome(true, "errors==0", 0, "was 0"),
		outcome(true, "healthy==running at steady", 1, "healthy was 6 and running 6, as expected at every instant of the last 56m15s (2m48.75s of the run) of the load"),
		outcome(true, "oscillations==0", 0, "was 0"),
	}
	return s
}

// cappedTasksRun asked for more than the maximum.
func cappedTasksRun() *scaled {
	t := on(recorded("max-3"), 20)
	s := scaledRun(labPlan(), t, known())
	s.expectations = []result.Outcome{
		outcome(false, "max_tasks==6", 3, "was 3; not scaled: AlreadyAtMaxCapacity"),
		outcome(true, "errors==0", 0, "was 0"),
	}
	s.result().Verdict.ExitCode, s.result().Verdict.ExitName = 97, "scaling expectation not met"
	return s
}

// idleRun has a policy that cannot work.
func idleRun() *scaled {
	s := scaledRun(labPlan(), on(recorded("target-million"), 20), known())
	s.expectations = []result.Outcome{
		outcome(false, "max_tasks==6", 2, "was 2"),
		outcome(false, "scale_out_within<=6m", 0, "there was no scale-out"),
	}
	s.result().Verdict.ExitCode, s.result().Verdict.ExitName = 97, "scaling expectation not met"
	return s
}

// killedRun lost a task in mid-load, and then a zone.
func killedRun() *scaled {
	s := grownRun()
	t := *s.timeline
	kill := 60 * time.Second
	add := func(at time.Duration, running, healthy int) {
		p := timeline.Point{At: at, Desired: 6, Running: running, Healthy: healthy}
		i, _ := slices.BinarySearchFunc(t.Points, at, func(p timeline.Point, at time.Duration) int { return int(p.At - at) })
		t.Points = slices.Insert(t.Points, i, p)
	}
	t.Points = slices.Clone(t.Points)
	add(kill, 5, 5)
	add(kill+1750*ms, 6, 5)
	add(kill+2250*ms, 6, 6)
	add(90*time.Second, 3, 3)
	add(91750*ms, 6, 3)
	add(92250*ms, 6, 6)
	t.Events = []timeline.Event{
		{At: kill, Type: "chaos", Detail: "kill-task@60s: task-1 in zone a dies"},
		{At: 90 * time.Second, Type: "chaos", Detail: "kill-zone:b@90s..120s: zone b is down with 3 tasks"},
		{At: 120 * time.Second, Type: "chaos", Detail: "kill-zone:b@90s..120s: zone b is up again"},
		{At: 225 * time.Second, Type: "task-draining", Detail: "task-6 in zone b: scale-in"},
	}
	t.Tasks = slices.Clone(t.Tasks)
	t.Tasks[0].Stopped, t.Tasks[0].Reason, t.Tasks[0].Errors = kill, "killed", 2
	t.Tasks = append(t.Tasks, timeline.Task{ID: "task-7", Zone: "a", Requested: kill, Running: kill + 1750*ms, Healthy: kill + 2250*ms,
		FirstSent: kill + 2260*ms, Draining: timeline.Never, Stopped: timeline.Never, Requests: 6000})
	s.timeline = &t
	s.compute()
	s.expectations = s.expectations[:1]
	return s
}

// foreignRun has the user's own program as the replicas: nobody said what one can do.
func foreignRun() *scaled {
	s := scaledRun(labPlan(), on(recorded("seed-hour"), 20), timeline.Capacity{})
	s.expectations = []result.Outcome{outcome(true, "errors==0", 0, "was 0")}
	return s
}

// realTimeRun is the seed's three minutes on the real clock, watched for the recovery's half hour.
func realTimeRun() *scaled {
	return scaledRun(labPlan(), on(recorded("three-minutes"), 1), known())
}

// simulatedDay has bounds far apart: more tasks than a line has room for.
func simulatedDay() Simulation {
	return simulation("day", 0, timeline.Load{
		{To: 3 * time.Hour, Rate: 2.5}, {From: 3 * time.Hour, To: 6 * time.Hour, Rate: 12},
		{From: 6 * time.Hour, To: 8 * time.Hour, Rate: 15}, {From: 8 * time.Hour, To: 10 * time.Hour, Rate: 5},
	})
}

// simulatedSeed is the seed's load for 20 minutes.
func simulatedSeed() Simulation {
	in := simulation("twenty-minutes", 439, timeline.Load{{To: 10 * time.Second, Rate: 187.5}, {From: 10 * time.Second, To: 20 * time.Minute, Rate: 375}})
	in.Expectations = []result.Outcome{outcome(true, "max_tasks==6", 6, "was 6")}
	return in
}

func simulation(name string, wanted int, load timeline.Load) Simulation {
	t := recorded(name)
	return Simulation{
		Timeline: t, Load: load, FirstWanted: wanted,
		Figures: timeline.Compute(t, load, timeline.Capacity{PerTask: 120}),
	}
}

func sweep() []SweepRow {
	return []SweepRow{
		{"target", "25", 6, 225 * time.Second, 3.7166, 5, 2700 * time.Second, "requests, cpu"},
		{"target", "400", 6, 225 * time.Second, 3.7166, 5, 2700 * time.Second, "requests, cpu"},
		{"target", "1,000,000", 2, 20 * time.Minute, 1.2, 0, timeline.Never, ""},
		{"target", "12,000", 4, timeline.Never, 0.004, 1200, 30 * time.Hour, "cpu"},
		{"target", "13,000", 4, timeline.Never, 0.004, 1200, timeline.Never, "cpu"},
	}
}
