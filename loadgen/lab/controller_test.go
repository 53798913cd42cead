package lab

import (
	"testing"
	"time"

	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/timeline"
)

func TestRequestsPerTargetAreARateOverTheTargetsInRotation(t *testing.T) {
	for _, tt := range []struct {
		why             string
		healthy, others int // targets; others have passed no check
		requests        int
		perMinute       float64 // over the ten that pass
		missing         bool
	}{
		{"no target", 0, 0, 0, 0, true},
		{"a target that gets nothing yet", 0, 1, 0, 0, false},
		{"a target of which nothing is asked", 1, 0, 0, 0, false},
		{"all requests are one target's", 1, 0, 100, 10, false},
		{"each of two has half of them", 2, 0, 100, 5, false},
		{"one that does not serve does not count", 2, 3, 100, 5, false},
	} {
		b := &balancer{since: time.Now()}
		cfg := Config{Speedup: 60}.withDefaults()
		c := &controller{cfg: cfg, balancer: b, scheduler: newScheduler(cfg, b, nil, timeline.NewRecorder(60, 1, 2), func() time.Duration { return 0 })}
		for range tt.healthy {
			healthyTarget(b, "x", "")
		}
		for range tt.others {
			b.register("y", "", 2, 2)
		}
		c.routed, c.inRotation, _ = b.period()
		for range tt.requests {
			b.pick()
		}
		const passed = 10 * time.Minute
		b.since = b.since.Add(-passed) // as if the targets had been in rotation for that time before
		values := c.measure(1)
		got, ok := values[autoscaling.MetricRequests]
		// The loop itself takes a moment more.
		if ok == tt.missing || got > tt.perMinute || got < 0.95*tt.perMinute {
			t.Errorf("%s: %.1f, %t, want %.1f", tt.why, got, ok, tt.perMinute)
		}
		if _, ok := values[autoscaling.MetricCPU]; ok {
			t.Errorf("%s: a CPU without a task", tt.why)
		}
	}
}
