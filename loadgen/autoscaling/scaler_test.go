package autoscaling

import (
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/timeline"
)

func seed(t *testing.T, change func(*Config)) *Scaler {
	t.Helper()
	c := DefaultConfig()
	if change != nil {
		change(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func observe(s *Scaler, running int, requests, cpu float64) Decision {
	period, due := s.Next()
	return s.Step(Observation{Period: period, At: due, Running: running, Values: map[string]float64{"requests": requests, "cpu": cpu}})
}

// observeDraining is observe while tasks drain.
func observeDraining(s *Scaler, running, draining int, cpu float64) Decision {
	period, due := s.Next()
	return s.Step(Observation{Period: period, At: due, Running: running, Draining: draining, Values: map[string]float64{"requests": 0, "cpu": cpu}})
}

func TestALargerBreachOverridesAScaleOutInProgress(t *testing.T) {
	s := seed(t, func(c *Config) { c.Max = 20 })
	for range 3 {
		observe(s, 2, 0, 100)
	}
	if s.Desired() != 4 {
		t.Fatalf("desired %d, want 4", s.Desired())
	}
	d := observe(s, 2, 0, 190) // still 2 run: mean 130 → 5.2
	if d.From != 4 || d.To != 6 {
		t.Fatalf("went from %d to %d, want 4 to 6", d.From, d.To)
	}
	first := s.Activities()[0]
	if first.Status != "Overridden" || first.Completed != 4*time.Minute ||
		first.StatusMessage != "Successfully set desired count to 4. Found it was later changed to 6." {
		t.Errorf("the first is %+v", first)
	}
	if s.Settle(4*time.Minute+10*time.Second, 5, 0) {
		t.Error("complete at 5 of 6")
	}
	if !s.Settle(4*time.Minute+30*time.Second, 6, 0) {
		t.Error("not complete at 6 of 6")
	}
	if until, ok := s.CoolingDown(5 * time.Minute); !ok || until != 5*time.Minute+30*time.Second {
		t.Errorf("cooling until %s, %v, want 5m30s", until, ok)
	}
	// Both added: 6 × 125 ÷ 50 is 15, less 4.
	if d := observe(s, 6, 0, 85); d.Wanted != 15 || d.To != 11 {
		t.Errorf("wanted %d and went to %d, want 15 and 11", d.Wanted, d.To)
	}
}

func TestAScaleOutOverridesAScaleInThatStillDrains(t *testing.T) {
	s := seed(t, func(c *Config) { c.Initial = 6; c.High = Evaluation{1, 1} })
	for range 15 {
		observe(s, 6, 0, 0)
	}
	if s.Desired() != 5 {
		t.Fatalf("desired %d, want 5", s.Desired())
	}
	if s.Settle(15*time.Minute+time.Second, 5, 1) {
		t.Error("complete while a task drains")
	}
	if d := observeDraining(s, 5, 1, 60); d.To != 6 {
		t.Errorf("went to %d, want 6", d.To)
	}
	if a := s.Activities(); a[0].Status != "Overridden" || a[1].Status != "InProgress" ||
		a[1].StatusMessage != "Successfully set desired count to 6. Waiting for change to be fulfilled by ecs." {
		t.Errorf("activities are %+v", a)
	}
}

func TestAMovedBoundMovesTheCountAtOnce(t *testing.T) {
	s := seed(t, nil)
	d, err := s.SetBounds(10*time.Second, 4, 8)
	if err != nil || d.From != 2 || d.To != 4 || s.Desired() != 4 {
		t.Fatalf("%+v, %v, want 2 to 4", d, err)
	}
	s.Settle(40*time.Second, 4, 0)
	if _, cooling := s.CoolingDown(41 * time.Second); cooling {
		t.Error("a change of bounds has a cooldown, and is no policy's activity")
	}
	if d, err = s.SetBounds(50*time.Second, 1, 3); err != nil || d.To != 3 {
		t.Fatalf("%+v, %v, want 4 to 3", d, err)
	}
	if d, err = s.SetBounds(55*time.Second, 2, 6); err != nil || d.From != d.To {
		t.Fatalf("%+v, %v, want no change inside the bounds", d, err)
	}
	var causes []string
	for _, a := range s.Activities() {
		causes = append(causes, a.Cause)
	}
	if got := strings.Join(causes, "; "); got != "minimum capacity was set to 4; maximum capacity was set to 3" {
		t.Errorf("causes are %s", got)
	}
}

func TestAScaleOutThatABoundOverridesDoesNotCountInALaterCooldown(t *testing.T) {
	s := seed(t, func(c *Config) { c.Max = 20 })
	for range 3 {
		observe(s, 2, 0, 100) // 2 → 4, in progress
	}
	for _, high := range []int{3, 20} {
		if _, err := s.SetBounds(3*time.Minute+time.Second, 2, high); err != nil {
			t.Fatal(err)
		}
		s.Settle(3*time.Minute+2*time.Second, 3, 0)
	}
	if d := observe(s, 3, 0, 100); d.To != 6 {
		t.Fatalf("went to %d, want 6: no cooldown holds", d.To)
	}
	s.Settle(4*time.Minute+30*time.Second, 6, 0)
	if d := observe(s, 6, 0, 100); d.Wanted != 12 || d.To != 9 {
		t.Errorf("wanted %d and went to %d, want 12, and 9 because 3 were added", d.Wanted, d.To)
	}
}

func TestAMovedBoundDoesNotEndACooldown(t *testing.T) {
	s := seed(t, func(c *Config) { c.Initial, c.ScaleInCooldown = 6, 10*time.Minute })
	for range 15 {
		observe(s, 6, 0, 0)
	}
	s.Settle(15*time.Minute+30*time.Second, 5, 0)
	if _, err := s.SetBounds(16*time.Minute, 2, 4); err != nil {
		t.Fatal(err)
	}
	s.Settle(16*time.Minute+30*time.Second, 4, 0)
	if until, ok := s.CoolingDown(17 * time.Minute); !ok || until != 25*time.Minute+30*time.Second {
		t.Errorf("cooling until %s, %v, want 25m30s", until, ok)
	}
}

func TestBoundsThatCannotBeChangeNothing(t *testing.T) {
	s := seed(t, nil)
	if _, err := s.SetBounds(time.Minute, 5, 4); err == nil || err.Error() != "min: 5 is above the maximum of 4" {
		t.Errorf("got %v", err)
	}
	if low, high := s.Bounds(); low != 2 || high != 6 || s.Desired() != 2 {
		t.Errorf("bounds are %d to %d, desired %d", low, high, s.Desired())
	}
}

func TestANewMaximumIsUsedByTheNextAction(t *testing.T) {
	s := seed(t, nil)
	for range 3 {
		observe(s, 2, 11250, 0)
	}
	s.Settle(3*time.Minute+30*time.Second, 6, 0)
	if _, err := s.SetBounds(3*time.Minute+40*time.Second, 2, 9); err != nil {
		t.Fatal(err)
	}
	if d := observe(s, 6, 3750, 0); d.To != 9 {
		t.Errorf("went to %d, want 9: far more is wanted than the cooldown holds back", d.To)
	}
}

func TestAPeriodIsJudgedOnce(t *testing.T) {
	s := seed(t, nil)
	for range 3 {
		observe(s, 2, 11250, 0)
	}
	before := len(s.Metrics())
	d := s.Step(Observation{Period: 3, At: time.Hour, Running: 6, Values: map[string]float64{"requests": 1e6}})
	if d.From != d.To || len(s.Metrics()) != before || !s.InProgress() {
		t.Errorf("a period given again did %+v", d)
	}
}

func TestPeriodsLeftOutHaveNoDatapoints(t *testing.T) {
	s := seed(t, func(c *Config) { c.Policies = []Policy{TargetTracking{On: MetricCPU, Target: 50}} })
	observe(s, 2, 0, 100)
	s.Step(Observation{Period: 7, Running: 2, Values: map[string]float64{"cpu": 100}})
	var shape strings.Builder
	for _, m := range s.Metrics() {
		if m.Missing {
			shape.WriteByte('-')
		} else {
			shape.WriteByte('X')
		}
	}
	if shape.String() != "X-----X" {
		t.Errorf("datapoints are %s", shape.String())
	}
	var states []string
	for _, a := range s.AlarmChanges() {
		if a.High {
			states = append(states, string(a.State)+a.At.String())
		}
	}
	// As old as three periods, alone: ALARM. Out of the range of five: no data.
	if got := strings.Join(states, " "); got != "ALARM3m0s INSUFFICIENT_DATA6m0s" {
		t.Errorf("AlarmHigh was %s", got)
	}
	if s.Desired() != 2 {
		t.Errorf("desired is %d: something was decided on missing data", s.Desired())
	}
	s.Step(Observation{Period: 1_000_000, Running: 2})
	if n := len(s.Metrics()); n > 2000 {
		t.Errorf("%d datapoints kept of a long gap", n)
	}
}

func TestADelayedMetricDelaysTheDecision(t *testing.T) {
	s := seed(t, func(c *Config) { c.MetricDelay = 45 * time.Second })
	var d Decision
	for range 3 {
		d = observe(s, 2, 11250, 0)
	}
	if d.To != 6 || d.At != 3*time.Minute+45*time.Second {
		t.Errorf("%+v, want 6 tasks at 3m45s", d)
	}
	if m := s.Metrics(); m[len(m)-1].At != 3*time.Minute {
		t.Errorf("the datapoint is at %s, want the end of its period", m[len(m)-1].At)
	}
	if a := s.AlarmChanges(); a[len(a)-1].At != 3*time.Minute+45*time.Second {
		t.Errorf("the alarm is at %s, want when the datapoint was seen", a[len(a)-1].At)
	}
}

func TestWhatHoldsAScaleInBackIsSaid(t *testing.T) {
	const drain, low = 15 * time.Minute, 15
	for _, row := range []struct {
		do   func(s *Scaler) Decision
		want string
	}{
		{func(s *Scaler) Decision { return observeDraining(s, 5, 1, 0) }, "the activity of 00:15:00 is in progress"},
		{func(s *Scaler) Decision { s.Settle(drain+30*time.Second, 5, 0); return observe(s, 5, 0, 0) }, "scale-in cooldown until 00:17:30"},
		{func(s *Scaler) Decision { return observe(s, 5, 0, 46) }, "cpu-AlarmLow is OK"},
		{func(s *Scaler) Decision {
			_, due := s.Next()
			return s.Step(Observation{Period: low + 1, At: due, Running: 5, Values: map[string]float64{"requests": 0}})
		}, "cpu has no datapoint for the last period"},
	} {
		s := seed(t, func(c *Config) { c.Initial = 6 })
		for range low {
			observe(s, 6, 0, 0)
		}
		if d := row.do(s); d.Held != row.want || d.From != d.To {
			t.Errorf("held by %q from %d to %d, want %q", d.Held, d.From, d.To, row.want)
		}
	}
}

func TestAnActionThatDoesNothingIsListedOnceUntilSomethingElseHappens(t *testing.T) {
	s := seed(t, func(c *Config) { c.Initial = 6 })
	for range 10 {
		observe(s, 6, 3750, 54)
	}
	observe(s, 6, 40, 40) // the alarm ends
	for range 5 {
		observe(s, 6, 3750, 54)
	}
	var at []time.Duration
	for _, a := range s.Activities() {
		at = append(at, a.At)
	}
	if len(at) != 2 || at[0] != 3*time.Minute || at[1] != 14*time.Minute {
		t.Errorf("listed at %v, want at 3m and, after a pause, at 14m", at)
	}
}

func TestWhatIsHandedOutIsTheCallers(t *testing.T) {
	s := seed(t, func(c *Config) { c.Initial = 6 })
	for range 3 {
		observe(s, 6, 3750, 54)
	}
	s.Activities()[0].NotScaledReasons[0] = "changed"
	s.Metrics()[0].Value = -1
	s.AlarmChanges()[0].State = "changed"
	if a, m, c := s.Activities(), s.Metrics(), s.AlarmChanges(); a[0].NotScaledReasons[0] == "changed" || m[0].Value == -1 || c[0].State == "changed" {
		t.Error("a caller changed the scaler's own")
	}
}

func TestAConfigurationStaysTheCallers(t *testing.T) {
	c := DefaultConfig() // requests before cpu
	if _, err := New(c); err != nil {
		t.Fatal(err)
	}
	if c.Policies[0].Metric() != MetricRequests {
		t.Error("New put the caller's policies in another order")
	}
}

func TestTheTimelineTakesWhatTheScalerSays(t *testing.T) {
	s := seed(t, nil)
	for range 5 {
		observe(s, 2, 11250, 100)
	}
	tl := timeline.Timeline{
		Points:  []timeline.Point{{Desired: 2, Running: 2, Healthy: 2}},
		Metrics: s.Metrics(), Alarms: s.AlarmChanges(), Activities: s.Activities(),
		Speedup: 1, LoadTo: 5 * time.Minute, End: 5 * time.Minute, Min: 2, Max: 6,
	}
	if err := tl.Validate(); err != nil {
		t.Error(err)
	}
}
