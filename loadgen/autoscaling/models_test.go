package autoscaling

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/internal/input"
)

// What the two sets say, with the source of each number in its constant.
func TestTheLabsClockAndAWSs(t *testing.T) {
	lab, aws := LabModels(), AWSModels()
	if c := lab.Apply(DefaultConfig()); c.MetricDelay != 0 || c.Low.Periods != 15 || c.ScaleOutCooldown != time.Minute {
		t.Errorf("the lab's models give %+v, want the demonstration's numbers", c)
	}
	for _, row := range []struct {
		name      string
		got, want time.Duration
	}{
		{"cooldown out", aws.ScaleOutCooldown, 5 * time.Minute},
		{"cooldown in", aws.ScaleInCooldown, 5 * time.Minute},
		{"deregistration", aws.Deregistration, 5 * time.Minute},
		{"decision to created", aws.TaskStart.Created, 8 * time.Second},
		{"period", aws.Period, time.Minute},
	} {
		if row.got != row.want {
			t.Errorf("AWS's %s is %s, want %s", row.name, row.got, row.want)
		}
	}
	if r := aws.TaskStart.Running; r < 24*time.Second || r > 31*time.Second {
		t.Errorf("created to running is %s, want within the recorded 24 s to 31 s", r)
	}
}

// ECS's high-resolution metrics have 3 and 30 datapoints of 20 s, an Application Load Balancer's stay at 60 s.
func TestAPeriodOf20SecondsIsOfECSsMetricsAlone(t *testing.T) {
	c := AWSModels().WithPeriod(AWSFastPeriod).Apply(DefaultConfig())
	want := BalancerMetrics{Every: 3, Delay: time.Duration(AWS60s), Low: Evaluation{15, 15}}
	if c.Low.Periods != 30 || c.High.Periods != 3 || c.MetricDelay != time.Duration(AWS20s) || c.Balancer != want {
		t.Errorf("%+v", c)
	}
	if m := AWSModels().WithPeriod(AWSFastPeriod).WithPeriod(time.Minute); m != AWSModels() {
		t.Errorf("back at 60 s the models are %+v, want AWS's", m)
	}
	if m := LabModels().WithPeriod(AWSFastPeriod); m.MetricDelay != NoMetricDelay {
		t.Errorf("a delay of none became %s with the period", m.MetricDelay)
	}
}

// With periods of 20 s beside a balancer's 60: three values are one datapoint, seen when the balancer's delay has
// passed, and only then does its alarm act.
func TestTheBalancersDatapointsAreThoseOfWholeMinutes(t *testing.T) {
	c := DefaultConfig()
	c.Policies = []Policy{TargetTracking{On: MetricRequests, Target: 50}}
	c = AWSModels().WithPeriod(AWSFastPeriod).Apply(c)
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	var decided time.Duration
	for period := 1; decided == 0 && period < 100; period++ {
		_, due := s.Next()
		d := s.Step(Observation{Period: period, At: due, Running: 2, Values: map[string]float64{MetricRequests: 100}})
		if d.To != d.From {
			decided = d.At
		}
	}
	// The third minute ends at 180 s and is seen 150 s later; steps are at 20 n + 14.
	if decided != 334*time.Second {
		t.Errorf("decided at %s, want 5m34s", decided)
	}
	m := s.Metrics()
	if len(m) != 3 || m[0].At != time.Minute || m[0].Value != 300 || m[2].At != 3*time.Minute {
		t.Errorf("the datapoints are %+v, want three of 300, a minute apart", m)
	}
	if a := s.AlarmChanges(); len(a) != 2 || a[1].At != decided {
		t.Errorf("the alarms changed as %+v", a)
	}
}

func TestAModelOfSteps(t *testing.T) {
	for _, row := range []struct {
		text string
		want ScaleInModel
		why  string
	}{
		{"step", ScaleInStep, "the default"},
		{"step(1)", ScaleInStep, "the same"},
		{" step( 3 ) ", "step(3)", "spaces mean nothing"},
		{"proportional", ScaleInProportional, "the other one"},
	} {
		if got, err := ParseScaleIn(row.text); err != nil || got != row.want {
			t.Errorf("%q: %q, %v, want %q: %s", row.text, got, err, row.want, row.why)
		}
	}
	for _, text := range []string{"", "step()", "step(0)", "step(-1)", "step(1001)", "step(03)", "steps", "fraction", "step(1"} {
		if got, err := ParseScaleIn(text); err == nil {
			t.Errorf("%q was read as %q", text, got)
		}
	}
	c := DefaultConfig()
	c.ScaleIn = "step(3)"
	p := TargetTracking{On: MetricCPU, Target: 50}
	if n := p.wants(&c, true, 6, 6, 1); n != 3 {
		t.Errorf("step(3) from 6 wants %d, want 3", n)
	}
}

func TestModelsThatCannotBeAreRefused(t *testing.T) {
	for _, row := range []struct {
		change func(*Models)
		field  string
	}{
		{func(m *Models) { m.Period = 7 * time.Second }, "period"},
		{func(m *Models) { m.Period = 90 * time.Second }, "period"},
		{func(m *Models) { m.Period = 0 }, "period"},
		{func(m *Models) { m.MetricDelay = -1 }, "metric_delay"},
		{func(m *Models) { m.TaskStart.Running = 25 * time.Hour }, "task_start"},
		{func(m *Models) { m.Deregistration = -1 }, "deregistration"},
		{func(m *Models) { m.ScaleIn = "fast" }, "scale_in_model"},
	} {
		m := AWSModels()
		row.change(&m)
		if all := input.Errors(m.Validate()); len(all) != 1 || all[0].Field != row.field {
			t.Errorf("%+v: %v, want an error of %s", m, all, row.field)
		}
	}
}

// A decision multiplies capacity by at most 100 ÷ target where the metric is CPU, which ends at 100 %.
func TestOneDecisionOnCPUGoesNoFurtherThan100PercentAllow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		target := rapid.Float64Range(1, 100).Draw(t, "target")
		running := rapid.IntRange(1, 1000).Draw(t, "running")
		mean := rapid.Float64Range(0, 100).Draw(t, "mean")
		c := DefaultConfig()
		if got, most := (TargetTracking{On: MetricCPU, Target: target}).wants(&c, false, running, running, mean), float64(running)*100/target+1; float64(got) > most {
			t.Errorf("%d tasks at %v %% of %v want %d, at most %v can follow", running, mean, target, got, most)
		}
	})
}
