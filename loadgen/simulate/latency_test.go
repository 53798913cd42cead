package simulate

import (
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/autoscaling"
)

func TestLatencyIsThatOfTheLoadThatWasMeasured(t *testing.T) {
	l := Latency{{50, 20 * time.Millisecond}, {100, 40 * time.Millisecond}, {120, 400 * time.Millisecond}}
	for rate, want := range map[float64]time.Duration{
		0: 20 * time.Millisecond, 50: 20 * time.Millisecond, 75: 30 * time.Millisecond, 110: 220 * time.Millisecond, 500: 400 * time.Millisecond,
	} {
		if got := l.At(rate); (got - want).Abs() > time.Microsecond {
			t.Errorf("at %v/s it is %s, want %s", rate, got, want)
		}
	}
}

// 390/s on two tasks: 400 ms, +2 when the third minute has passed; on four 97.5/s each: 39 ms, and no more.
func TestAPolicyOnLatencyAddsTasksUntilItIsShort(t *testing.T) {
	steps, err := autoscaling.ParsePolicy("p99>100ms:+1,>300ms:+2")
	if err != nil {
		t.Fatal(err)
	}
	c := DefaultConfig()
	c.Load = load(t, "0s:390,15m:390")
	c.Policies = []autoscaling.Policy{steps, autoscaling.TargetTracking{On: autoscaling.MetricCPU, Target: 95}}
	if _, err := Run(c); err == nil || !strings.Contains(err.Error(), "p99 by load is not known") {
		t.Errorf("without a measured latency: %v", err)
	}
	c.Latency = Latency{{50, 20 * time.Millisecond}, {100, 40 * time.Millisecond}, {120, 400 * time.Millisecond}}
	r := simulate(t, c)
	if a := r.Timeline.Activities[0]; a.Policy != autoscaling.MetricP99 || a.At != 3*time.Minute || a.To != 4 || r.Summary.MaxTasks != 4 {
		t.Errorf("the first activity is %+v, at most %d tasks", a, r.Summary.MaxTasks)
	}
	if r.Summary.BackToMin < 0 {
		t.Error("it does not come back: a policy that only goes out is in the way")
	}
}
