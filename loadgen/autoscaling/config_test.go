package autoscaling

import (
	"errors"
	"math"
	"testing"
	"time"

	"scalableappbackend/internal/input"
)

func TestTheDefaultsAreValidAndTheSeeds(t *testing.T) {
	c := DefaultConfig()
	if err := c.Validate(); err != nil {
		t.Fatal(err)
	}
	if len(c.Policies) != 2 || c.Policies[0].String() != "requests=50" || c.Policies[1].String() != "cpu=50" {
		t.Errorf("policies are %v, want the seed's two", c.Policies)
	}
	// What DefaultTaskCapacity says about itself.
	const low, high = 375.0, 390.0
	if cpu := low / (2 * DefaultTaskCapacity); cpu < 1.5 {
		t.Errorf("two tasks are %.2f times busy, want visibly too few", cpu)
	}
	for _, rps := range []float64{low, high} {
		if cpu := rps / (6 * DefaultTaskCapacity); cpu < 0.5 || cpu > 0.6 {
			t.Errorf("six tasks are at %.3f with %v/s, want 0.5 to 0.6", cpu, rps)
		}
	}
}

func TestConfigurationsThatCannotBeAreRefused(t *testing.T) {
	for _, row := range []struct {
		change func(*Config)
		want   string
	}{
		{func(c *Config) { c.Min = -1 }, "min: -1, want 0 or more tasks"},
		{func(c *Config) { c.Min = 7 }, "min: 7 is above the maximum of 6"},
		{func(c *Config) { c.Min, c.Max = 0, 0 }, "max: 0, want 1 to 5000 tasks"},
		{func(c *Config) { c.Max = 5001 }, "max: 5001, want 1 to 5000 tasks"},
		{func(c *Config) { c.Initial = -1 }, "initial: -1, want 0 to 5000 tasks"},
		{func(c *Config) { c.Period = 0 }, "period: 0s, want a time above 0 and at most 24h"},
		{func(c *Config) { c.High = Evaluation{3, 4} }, "high: 4 datapoints of 3 periods, want at least 1 datapoint, not more than there are periods, and at most 1440 periods"},
		{func(c *Config) { c.Low = Evaluation{} }, "low: 0 datapoints of 0 periods, want at least 1 datapoint, not more than there are periods, and at most 1440 periods"},
		{func(c *Config) { c.ScaleInCooldown = -time.Second }, "scale_in_cooldown: -1s, want a time that is not negative and at most 720h"},
		{func(c *Config) { c.MetricDelay = 721 * time.Hour }, "metric_delay: 721h0m0s, want a time that is not negative and at most 720h"},
		{func(c *Config) { c.ScaleIn = "fast" }, `scale_in_model "fast": want step, step(N) or proportional`},
		{func(c *Config) { c.RoundOut = "off" }, `round_out "off": want up, nearest or down`},
		{func(c *Config) { c.Policies = nil }, "policies: none, want at least one, e.g. requests=50"},
		{func(c *Config) { c.Policies = []Policy{nil} }, "policies[0]: no policy, want e.g. requests=50"},
		{func(c *Config) { c.Policies = append(c.Policies, TargetTracking{On: "cpu", Target: 9}) }, "policies[2]: a second policy on cpu, want at most one for a metric"},
		{func(c *Config) { c.Policies = []Policy{TargetTracking{On: "disk", Target: 9}} }, `policies[0].metric: "disk" is not known, want one of: requests, cpu, memory`},
		{func(c *Config) { c.Policies = []Policy{TargetTracking{On: "cpu", Target: math.NaN()}} }, "policies[0].target: NaN, want a number above 0"},
		{func(c *Config) { c.Min, c.Period = -2, -1 }, "min: -2, want 0 or more tasks\nperiod: -1ns, want a time above 0 and at most 24h"},
	} {
		c := DefaultConfig()
		row.change(&c)
		err := c.Validate()
		if err == nil || err.Error() != row.want {
			t.Errorf("got %v\nwant %s", err, row.want)
		}
		if s, err := New(c); s != nil || err == nil {
			t.Errorf("New takes what Validate refuses: %s", row.want)
		}
	}
}

func TestInputErrorsAreFoundWhereverTheyAre(t *testing.T) {
	a, b := &input.Error{Want: "a"}, &input.Error{Want: "b"}
	err := errors.Join(errors.New("other"), a, errors.Join(b))
	if got := input.Errors(err); len(got) != 2 || got[0] != a || got[1] != b {
		t.Errorf("found %v", got)
	}
	if got := input.Errors(nil); got != nil {
		t.Errorf("found %v in nil", got)
	}
}

func TestCountsBecomeWholeByTheirModel(t *testing.T) {
	tenth, noisy := 0.1, 0.0 // the compiler would add constants exactly
	for range 3 {
		noisy += tenth
	}
	if noisy *= 70 / 3.0; noisy <= 7 {
		t.Fatalf("%v is not what the row below is about", noisy)
	}
	for _, row := range []struct {
		r    Rounding
		x    float64
		want int
		why  string
	}{
		{RoundUp, 4.2, 5, "recorded scale-outs fit rounding up"},
		{"", 4.2, 5, "up is the default"},
		{RoundDown, 4.8, 4, ""},
		{RoundNearest, 4.5, 5, ""},
		{RoundNearest, 4.4, 4, ""},
		{RoundDown, math.Nextafter(3, 0), 3, "3 but for its last digit"},
		{RoundUp, -3, 0, "no service has fewer than none"},
		{RoundUp, math.Inf(1), maxWanted, "more than can be said"},
		{RoundUp, 1e300, maxWanted, "more than can be said"},
		{RoundUp, noisy, 7, "0.3 × 70 ÷ 3 is 7, and more in float64"},
	} {
		if got := row.r.whole(row.x); got != row.want {
			t.Errorf("%q of %v is %d, want %d: %s", row.r, row.x, got, row.want, row.why)
		}
	}
}
