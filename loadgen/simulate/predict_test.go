package simulate

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/timeline"
)

func TestALabsLoadIsToldOnAWSsClock(t *testing.T) {
	p := plan.Default()
	p.SpawnRate, p.RunTime = 25, plan.Duration(20*time.Second)
	line := timeline.Timeline{Speedup: 50, Min: 2, Max: 6, Settings: map[string]string{
		autoscaling.SettingPolicy: "requests=50; cpu=50", autoscaling.SettingTaskCapacity: "120",
	}}
	// By hand: three minutes, 150 s until the third is seen, 35 s to run, 10 s to healthy: 375 s; the 33rd user came after 64.
	// The load ends at 16:40, in the 17th minute, so 15 without it end at 32:00 and are seen at 34:30. Four steps, each 5 minutes
	// of drain and 5 of cooldown but the last, whose drain is waited for: 30 + 5 minutes.
	got := OnAWS(&p, &line, 0, nil)
	for _, want := range []string{"the last new task healthy after 6m15s", "under-provisioned for 5m11s", "back at 2 52m50s after the load's end", "seen 2m30s later"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in %q", want, got)
		}
	}
	delete(line.Settings, autoscaling.SettingTaskCapacity)
	if got := OnAWS(&p, &line, 0, nil); got != "" {
		t.Errorf("of a program that nobody knows it is said %q", got)
	}
	if got := OnAWS(&p, &line, 120, nil); got == "" {
		t.Error("with a capacity that is given nothing is said")
	}
}

// 50 tasks come back to 2 in hours or in minutes: nobody publishes which.
func TestRecoveryDependsOnWhatIsNotPublished(t *testing.T) {
	c := DefaultConfig()
	c.Min, c.Max, c.Recovery = 2, 50, 24*time.Hour
	c.Load = load(t, "0s:5000,30m:5000")
	all, err := ScaleInModels(c)
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	slow, fast := all[0].Summary.BackToMin-all[0].LoadTo, all[1].Summary.BackToMin-all[1].LoadTo
	if all[0].Model != autoscaling.ScaleInStep || slow < 2*time.Hour || fast > 20*time.Minute {
		t.Errorf("by %s back after %s, by %s after %s, want hours and minutes", all[0].Model, slow, all[1].Model, fast)
	}
}

func TestTheRecommendedTargetIsCapacityOverGrowth(t *testing.T) {
	for _, row := range []struct {
		why      string
		load     string
		growth   float64
		requests float64
		cpu      float64
		min      int
	}{
		// React on the lab's clock: 4 minutes, 35 s, 10 s: 285 s. 100/s more each 285 s: from 260 to the 360 that three can do,
		// and three must be there at the beginning, because the load is 300 before any answer to it can be.
		{"a slope", "0s:200,285s:300,570s:400", 360.0 / 260, 5200, 72, 3},
		{"a slope that is answered in time", "0s:200,10m:200,885s:300,1170s:400", 300.0 / 200, 4800, 66, 2},
		{"what the minimum can do needs no headroom", "0s:100,1h:240", 1, 7200, 90, 2},
		{"a jump that no target is low enough for", "0s:0,10s:390,1h:390", 1, 7200, 90, 4},
	} {
		c := DefaultConfig()
		c.Max = 50
		c.Load = load(t, row.load)
		r, err := Recommend(c, autoscaling.MetricRequests)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(r.Growth-row.growth) > 0.01 || r.Requests != row.requests || r.CPU != row.cpu || r.MinTasks != row.min || r.React != 285*time.Second {
			t.Errorf("%s: %+v, want growth %v, requests=%v, cpu=%v, min %d", row.why, r, row.growth, row.requests, row.cpu, row.min)
		}
		if r.Simulation.UnderProvisioned != 0 {
			t.Errorf("%s: with it the service is under-provisioned for %s", row.why, r.Simulation.UnderProvisioned)
		}
	}
}

// Whatever the slope: with the recommended target alone there is always as much as is needed, a cooldown's wait aside.
func TestTheRecommendedTargetKeepsUpWithEverySlope(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := DefaultConfig().With(autoscaling.AWSModels())
		c.ScaleOutCooldown = 0
		c.Max = autoscaling.MaxTasks
		from, more := rapid.Float64Range(100, 2000).Draw(t, "from"), rapid.Float64Range(1, 8).Draw(t, "times")
		over := time.Duration(rapid.IntRange(10, 120).Draw(t, "minutes")) * time.Minute
		c.Min = int(math.Ceil(from/c.TaskCapacity)) + 1
		c.Load = Load{{0, from}, {10 * time.Minute, from}, {10*time.Minute + over, from * more}, {20*time.Minute + over, from * more}}
		c.Recovery = 0
		r, err := Recommend(c, autoscaling.MetricRequests)
		if err != nil {
			t.Fatal(err)
		}
		if r.Simulation.UnderProvisioned > 0 {
			t.Fatalf("%+v", r)
		}
	})
}
