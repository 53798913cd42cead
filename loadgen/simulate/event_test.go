package simulate

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/timeline"
)

func TestEventsAreReadAndRefused(t *testing.T) {
	for text, want := range map[string]Event{
		"10m:min=4": {10 * time.Minute, SetMin, 4}, "90:max=12": {90 * time.Second, SetMax, 12},
		"20m:deploy": {20 * time.Minute, Deploy, 0}, "1h:rebalance=2": {time.Hour, Rebalance, 2}, "1h: rebalance": {time.Hour, Rebalance, 1},
	} {
		got, err := ParseEvent(text)
		if err != nil || got != want {
			t.Errorf("%q: %+v, %v, want %+v", text, got, err, want)
		}
		if back, err := ParseEvent(got.String()); err != nil || back != got {
			t.Errorf("%q is written %s, which reads as %+v, %v", text, got, back, err)
		}
	}
	for _, text := range []string{"", "10m", "10m:", "min=4", "10m:min", "10m:min=-1", "10m:deploy=2", "10m:rebalance=0", "x:min=1", "10m:min=1.5", "10m:stop"} {
		if e, err := ParseEvent(text); err == nil {
			t.Errorf("%q was read as %+v", text, e)
		}
	}
	c := DefaultConfig()
	c.Load = load(t, "0s:1,10m:1")
	c.Events = []Event{{time.Minute, SetMin, 7}}
	if _, err := Run(c); err == nil || !strings.Contains(err.Error(), "1m:min=7 leaves bounds of 7 to 6") {
		t.Errorf("a minimum above the maximum: %v", err)
	}
}

// A scheduled minimum begins a scaling activity at once, without an alarm, and is what the service comes back to.
func TestAScheduledMinimumScalesAtOnce(t *testing.T) {
	c := DefaultConfig()
	c.Load = load(t, "0s:10,30m:10")
	c.Policies = []autoscaling.Policy{autoscaling.TargetTracking{On: autoscaling.MetricCPU, Target: 50}}
	c.Events = []Event{{10 * time.Minute, SetMin, 4}, {20 * time.Minute, SetMax, 3}}
	if _, err := Run(c); err == nil {
		t.Fatal("a maximum below the minimum was accepted")
	}
	c.Events[1] = Event{20 * time.Minute, SetMin, 1}
	r := simulate(t, c)
	a := r.Timeline.Activities[0]
	if a.At != 10*time.Minute || a.Policy != "" || a.To != 4 || a.Cause != "minimum capacity was set to 4" {
		t.Errorf("the first activity is %+v", a)
	}
	if last := r.Timeline.At(r.Timeline.End); last.Desired != 1 || len(r.Timeline.Bounds) != 2 {
		t.Errorf("it ends at %+v with bounds %+v, want back at the new minimum of 1", last, r.Timeline.Bounds)
	}
}

// A rolling deployment has never fewer healthy tasks than before, holds every scale-in back while it lasts, and is no scaling.
func TestADeploymentHoldsScaleInBackAndIsNoScaling(t *testing.T) {
	c := DefaultConfig()
	c.Load = load(t, "0s:0,30m:0")
	c.Initial = 6
	c.Drain = 10 * time.Minute // so that it lasts longer than the low alarm takes
	c.Events = []Event{{10 * time.Minute, Deploy, 0}}
	r := simulate(t, c)
	// Asked for at 10:00, healthy at 10:45, drained at 20:45: the alarm of 15:00 acts in vain until then.
	var reasons []string
	for _, a := range r.Timeline.Activities {
		if a.Status == timeline.NotScaled {
			reasons = append(reasons, a.At.String()+" "+a.NotScaledReasons[0])
		}
	}
	if want := []string{"15m0s TargetServicePutResourceAsUnscalable"}; len(reasons) == 0 || reasons[0] != want[0] {
		t.Errorf("not scaled: %q, want %q first", reasons, want)
	}
	var first time.Duration
	for _, a := range r.Timeline.Activities {
		if first == 0 && a.From != a.To {
			first = a.At
		}
	}
	if first != 21*time.Minute {
		t.Errorf("the first scale-in was at %s, want 21m: after the deployment", first)
	}
	least := 6
	r.Timeline.Between(0, 20*time.Minute, func(_, _ time.Duration, p timeline.Point) { least = min(least, p.Healthy) })
	replaced := 0
	for _, k := range r.Timeline.Tasks {
		if k.Replaces != "" {
			replaced++
		}
	}
	figures := timeline.Compute(&r.Timeline, nil, timeline.Capacity{})
	if least != 6 || replaced != 6 || figures.Replacements != 6 || r.Summary.AllHealthy != timeline.Never {
		t.Errorf("at least %d healthy, %d replaced, figures %d, all healthy %s; want 6, 6, 6 and no scale-out", least, replaced, figures.Replacements, r.Summary.AllHealthy)
	}
}

// Rebalancing moves tasks and not capacity: desired stays, and no activity tells of it.
func TestZoneRebalancingIsNoScaling(t *testing.T) {
	c := DefaultConfig()
	c.Load = load(t, "0s:100,20m:100")
	c.Policies = []autoscaling.Policy{autoscaling.TargetTracking{On: autoscaling.MetricCPU, Target: 50}}
	c.Events = []Event{{5 * time.Minute, Rebalance, 1}}
	r := simulate(t, c)
	if len(r.Timeline.Activities) > 1 || r.Summary.Activities != 0 || len(r.Timeline.Events) != 1 {
		t.Errorf("activities %+v, events %+v", r.Timeline.Activities, r.Timeline.Events)
	}
	if p := r.Timeline.At(5*time.Minute + 50*time.Second); p.Running != 2 || p.Healthy != 2 || p.Draining != 1 || p.Desired != 2 {
		t.Errorf("while it drains: %+v, want two healthy and one draining", p)
	}
}

// Memory that is the same whatever is asked keeps a service from scaling in for ever, when it is above 90 % of the target.
func TestAMemoryPolicyCanKeepAServiceFromScalingIn(t *testing.T) {
	for _, row := range []struct {
		memory string
		back   bool
		why    string
	}{
		{"46", false, "46 % is not below 90 % of 50 %: no AlarmLow, so no agreement"},
		{"40", false, "40 % is, but spread over 3 tasks instead of 4 it would be above 50: flapping is anticipated"},
		{"20", true, "20 % is in nobody's way"},
		{"10+0.5/rps", true, "what requests take is given back"},
	} {
		c := DefaultConfig()
		c.Load = load(t, "0s:390,10m:390")
		c.Recovery = 2 * time.Hour
		c.Policies = []autoscaling.Policy{autoscaling.TargetTracking{On: autoscaling.MetricCPU, Target: 50}, autoscaling.TargetTracking{On: autoscaling.MetricMemory, Target: 50}}
		m, err := ParseMemory(row.memory)
		if err != nil || m.String() != row.memory {
			t.Fatal(m, err)
		}
		c.Memory = m
		if r := simulate(t, c); r.Summary.BackToMin >= 0 != row.back {
			t.Errorf("--memory %s: back at %s: %s", row.memory, r.Summary.BackToMin, row.why)
		}
	}
	for _, text := range []string{"", "x", "101", "0", "40+", "40+1", "-1", "40+x/rps"} {
		if m, err := ParseMemory(text); err == nil {
			t.Errorf("%q was read as %+v", text, m)
		}
	}
	c := DefaultConfig()
	c.Load = load(t, "0s:1,1m:1")
	c.Policies = []autoscaling.Policy{autoscaling.TargetTracking{On: autoscaling.MetricMemory, Target: 50}}
	if _, err := Run(c); err == nil || !strings.Contains(err.Error(), "memory: not given") {
		t.Errorf("a policy on memory that is not known: %v", err)
	}
}

// Whatever happens, no count is negative, none is healthy that does not run, and every task has one life.
func TestAServiceToWhichThingsHappenStaysOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawConfig(t)
		c.Min, c.Max = max(c.Min, 1), max(c.Max, 3)
		for range rapid.IntRange(0, 6).Draw(t, "events") {
			e := Event{At: time.Duration(rapid.IntRange(0, 4000).Draw(t, "at")) * time.Second, Kind: rapid.SampledFrom([]EventKind{SetMax, Deploy, Rebalance, SetMin}).Draw(t, "kind")}
			switch e.Kind {
			case SetMin:
				e.N = rapid.IntRange(0, 3).Draw(t, "n")
			case SetMax, Rebalance:
				e.N = rapid.IntRange(3, 20).Draw(t, "n")
			}
			c.Events = append(c.Events, e)
		}
		if c.Min > 3 || c.Validate() != nil {
			t.Skip()
		}
		r, err := Run(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Timeline.Validate(); err != nil {
			t.Fatal(err)
		}
		end := r.Timeline.At(r.Timeline.End)
		running := 0
		for _, k := range r.Timeline.Tasks {
			if k.Running >= 0 && k.Draining < 0 && k.Stopped < 0 {
				running++
			}
		}
		if running != end.Running {
			t.Fatalf("%d tasks run at the end, the last point is %+v", running, end)
		}
	})
}

// D3 and D1: what AWS published and what was recorded there, each within a period.
func TestTheClockOfAWSBearsOutWhatWasRecordedThere(t *testing.T) {
	within := func(what string, got, want, period time.Duration) {
		if d := (got - want).Abs(); d > period {
			t.Errorf("%s is %s, recorded %s: more than a period of %s apart", what, got, want, period)
		}
	}
	// AWS's benchmark: load to trigger, and to capacity, with metrics of 60 s and of 20 s.
	for _, row := range []struct {
		period, trigger, capacity time.Duration
	}{
		{time.Minute, 363 * time.Second, 386 * time.Second},
		{20 * time.Second, 86 * time.Second, 109 * time.Second},
	} {
		c := DefaultConfig()
		c.Policies = []autoscaling.Policy{autoscaling.TargetTracking{On: autoscaling.MetricCPU, Target: 50}}
		c = c.With(autoscaling.AWSModels().WithPeriod(row.period))
		// The load begins anywhere in a period: half of one after it began, here.
		c.Load = Load{{0, 0}, {row.period / 2, 0}, {row.period / 2, 390}, {15 * time.Minute, 390}}
		r := simulate(t, c)
		within("load to trigger", r.Summary.FirstActivity-row.period/2, row.trigger, row.period)
		first := r.Timeline.Tasks[2]
		within("load to capacity", first.Running-row.period/2, row.capacity, row.period)
	}

	// scale_in.json: 2 tasks that begin above the minimum of 1, CPU near 0, high-resolution metrics, cooldowns of 20 s and no
	// balancer. The newest datapoint of the low alarm was of 03:03:00 to 03:03:20, the alarm came at 03:03:36.051, the activity
	// ran from 03:03:36.256 for 35.0 s. The 30th datapoint before is 02:53:20, of the minute in which task A started.
	m := autoscaling.AWSModels().WithPeriod(autoscaling.AWSFastPeriod)
	m.ScaleOutCooldown, m.ScaleInCooldown, m.Deregistration = 20*time.Second, 20*time.Second, 35*time.Second
	c := DefaultConfig().With(m)
	c.Min, c.Max, c.Initial = 1, 2, 2
	c.Policies = []autoscaling.Policy{autoscaling.TargetTracking{On: autoscaling.MetricCPU, Target: 50}}
	c.Load = load(t, "0s:0,20m:0")
	r := simulate(t, c)
	low := slices.IndexFunc(r.Timeline.Alarms, func(a timeline.AlarmChange) bool { return !a.High && a.State == timeline.Alarm })
	if low < 0 || len(r.Timeline.Activities) == 0 {
		t.Fatalf("no scale-in: %+v", r.Timeline.Alarms)
	}
	alarm, activity := r.Timeline.Alarms[low].At, r.Timeline.Activities[0]
	within("30 datapoints of 20 s and their delay", alarm, 10*time.Minute+16*time.Second, 20*time.Second)
	within("the alarm to the activity", activity.At-alarm, 205*time.Millisecond, 20*time.Second)
	within("the activity", activity.Completed-activity.At, 35*time.Second, 20*time.Second)
	if activity.Description != "Setting desired count to 1." || activity.From != 2 {
		t.Errorf("the activity is %+v", activity)
	}
	next := r.Timeline.Activities[1]
	if next.Status != timeline.NotScaled {
		t.Errorf("the next delivery gave %+v, recorded: not scaled", next)
	}
}
