package autoscaling

import (
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/timeline"
)

func TestStepsAreReadBackAndRefused(t *testing.T) {
	for text, want := range map[string]string{
		"p99>200ms:+1,>400ms:+2":               "p99>200ms:+1,>400ms:+2",
		" p99 > 1s :+3 ":                       "p99>1s:+3",
		"p99>200ms:+1 2 of 5":                  "p99>200ms:+1 2 of 5",
		"p99>200ms:+1,>400ms:+2,>1s:+4 1 of 1": "p99>200ms:+1,>400ms:+2,>1s:+4 1 of 1",
	} {
		p, err := ParsePolicy(text)
		if err != nil || p.String() != want {
			t.Errorf("%q: %v, %v, want %s", text, p, err, want)
		}
	}
	for _, text := range []string{
		"p99>200ms", "p99>200ms:-1", "p99>200:+1", "p99>200ms:+0", "p99>400ms:+1,>200ms:+2", "p99>200ms:+2,>400ms:+1", "p99>200ms:+1 4 of 3",
		"p99>200ms:+1 x of 3", "p99>200ms:+1,400ms:+2", "p99>:+1", "p99=200", "p95>200ms:+1", "latency>1s:+1",
	} {
		if p, err := ParsePolicy(text); err == nil || !strings.Contains(err.Error(), "p99>200ms:+1,>400ms:+2") {
			t.Errorf("%q was read as %v, %v: want an error with the form in it", text, p, err)
		}
	}
}

// Out by the step that the newest datapoint is in, never in; capacity that was added counts while it cools down; what is
// missing does not breach, and stands in no scale-in's way.
func TestStepsOnLatencyScaleOutAndNeverIn(t *testing.T) {
	steps, err := ParsePolicy("p99>200ms:+1,>400ms:+2 2 of 3")
	if err != nil {
		t.Fatal(err)
	}
	c := DefaultConfig()
	c.Policies = []Policy{steps, TargetTracking{On: MetricCPU, Target: 50}}
	c.Max, c.ScaleOutCooldown, c.ScaleInCooldown, c.Low = 20, 3*time.Minute, 0, Evaluation{2, 2}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	const none = -1
	running := 2
	for period, row := range []struct {
		p99, cpu float64
		want     int
		why      string
	}{
		{100, 50, 2, "below every bound"},
		{250, 50, 2, "one of three"},
		{250, 50, 3, "two of three: +1"},
		{450, 50, 4, "+2, of which one was added and cools down"},
		{450, 50, 4, "no more than that while it cools down"},
		{none, 50, 4, "missing does not breach, and the alarm is two of three"},
		{none, 50, 4, "one of three"},
		{none, 50, 4, "no alarm"},
		{none, 10, 4, "one low datapoint"},
		{none, 10, 3, "a step policy without data is in no scale-in's way"},
		{none, 10, 2, "to the minimum"},
	} {
		values := map[string]float64{MetricCPU: row.cpu}
		if row.p99 != none {
			values[MetricP99] = row.p99
		}
		d := s.Step(Observation{Period: period + 1, Running: running, Values: values})
		if s.Desired() != row.want {
			t.Errorf("period %d: %d desired (%+v), want %d: %s", period+1, s.Desired(), d, row.want, row.why)
		}
		running = s.Desired()
		s.Settle(d.At, running, 0)
	}
	for _, a := range s.Activities() {
		if a.Policy == MetricP99 && a.To < a.From {
			t.Errorf("%+v is a scale-in by latency", a)
		}
	}
	if a := s.Activities()[0]; a.Cause != "monitor alarm p99-AlarmHigh in state ALARM triggered policy p99" || a.Status != timeline.Successful {
		t.Errorf("the first activity is %+v", a)
	}
}

// Beside ECS's periods of 20 s a balancer still reports each minute: three minutes above the bound, not one.
func TestStepsGoByTheBalancersMinutes(t *testing.T) {
	c := LabModels().WithPeriod(AWSFastPeriod).Apply(DefaultConfig())
	steps, err := ParsePolicy("p99>200ms:+1")
	if err != nil {
		t.Fatal(err)
	}
	c.Policies = []Policy{steps}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	for period := 1; period <= 9; period++ {
		values := map[string]float64{MetricP99: 1} // of a third of the balancer's period: not used
		if period%3 == 0 {
			values[MetricP99] = 300
		}
		s.Step(Observation{Period: period, Running: 2, Values: values})
		if want := 2 + period/9; s.Desired() != want {
			t.Errorf("after %d periods of 20s: %d desired, want %d", period, s.Desired(), want)
		}
	}
	if m := s.Metrics(); len(m) != 3 || m[0].At != time.Minute || m[0].Value != 300 {
		t.Errorf("datapoints %+v, want one a minute", m)
	}
}
