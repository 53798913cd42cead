package autoscaling

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"scalableappbackend/internal/input"
)

// Config is a service's scaling. Start from [DefaultConfig]: zero cooldowns mean none.
type Config struct {
	// Min and Max bound the desired count.
	Min, Max int
	// Initial is the desired count when load begins; 0 is Min. It may lie outside the bounds.
	Initial int
	// Policies are at least one, each with a metric of its own. Their order does not matter.
	Policies []Policy

	// Period is what a datapoint covers. Periods are aligned to the beginning of the load.
	Period time.Duration
	// High and Low say when the alarms of a target tracking policy go into ALARM.
	High, Low Evaluation

	// The cooldowns begin when an activity completes.
	ScaleOutCooldown, ScaleInCooldown time.Duration

	// ScaleIn is the model of how far a scale-in goes; empty is ScaleInStep.
	ScaleIn ScaleInModel
	// RoundOut is how the count of a scale-out becomes whole; empty is RoundUp. That of a scale-in is rounded up
	// always: with fewer tasks the metric would be above the target again.
	RoundOut Rounding
	// MetricDelay is how long after a period's end its datapoint is seen. CloudWatch's is not
	// published; 0 is the best case.
	MetricDelay time.Duration
	// Balancer says that the balancer's metric has longer periods than the others; zero: it has the same.
	Balancer BalancerMetrics

	// Service is CLUSTER/SERVICE in the names of alarms; empty is "lab/api".
	Service string
}

// Evaluation is an alarm's M of N: ALARM when Datapoints of the last Periods breach.
type Evaluation struct {
	Periods, Datapoints int
}

// BalancerMetrics are the periods of MetricRequests and MetricP99 where they are longer than Period: an Application Load
// Balancer reports each minute, ECS each 20 s where that was asked for. Observations still have a value of requests for each
// Period; the [Scaler] adds Every of them up. A p99 cannot be added up: that of the whole comes with the last of its periods,
// and what the others have is not used. A datapoint that is seen between two periods' is judged with the later one.
type BalancerMetrics struct {
	Every int           // periods that make one of the balancer's; 0 and 1: the same
	Delay time.Duration // in place of MetricDelay
	Low   Evaluation    // in place of Low
}

// ScaleInModel is how far one scale-in goes. AWS says only that a service "scales in more gradually"
// than out.
type ScaleInModel string

const (
	// ScaleInStep takes one task at a time (step(N): N), then drains and cools down. It is the default because it
	// alone fits the seed's record, 6 → 5 → … → 2 on an idle service: in proportion, a metric
	// near 0 asks for the minimum at once. AWS does not document it.
	ScaleInStep ScaleInModel = "step"
	// ScaleInProportional goes to running × mean ÷ target at once, as for scale-out.
	ScaleInProportional ScaleInModel = "proportional"
)

// Rounding is how a proportional count becomes whole. AWS "acts conservatively by rounding up or
// down"; recorded scale-outs fit rounding up, and those who imitate AWS disagree.
type Rounding string

const (
	RoundUp      Rounding = "up"
	RoundNearest Rounding = "nearest"
	RoundDown    Rounding = "down"
)

// DefaultConfig is the seed's service with the demonstration's cooldowns.
func DefaultConfig() Config {
	return Config{
		Min: DefaultMin, Max: DefaultMax,
		Policies:         DefaultPolicies(),
		Period:           DefaultPeriod,
		High:             Evaluation{DefaultHighPeriods, DefaultHighPeriods},
		Low:              Evaluation{DefaultLowPeriods, DefaultLowPeriods},
		ScaleOutCooldown: DefaultScaleOutCooldown,
		ScaleInCooldown:  DefaultScaleInCooldown,
		ScaleIn:          ScaleInStep,
		RoundOut:         RoundUp,
	}
}

// Bounds of what a configuration may say, so that no arithmetic on it overflows. Nothing that is
// meant lies beyond them.
const (
	maxPeriod     = 24 * time.Hour
	maxWait       = 30 * 24 * time.Hour
	maxEvaluation = 1440
)

// Validate returns every reason why c cannot be used, joined, each an [*input.Error].
func (c Config) Validate() error {
	var errs []error
	refuse := func(field, format string, args ...any) {
		errs = append(errs, &input.Error{Field: field, Want: fmt.Sprintf(format, args...)})
	}
	checkBounds(c.Min, c.Max, refuse)
	if c.Initial < 0 || c.Initial > MaxTasks {
		refuse("initial", "%d, want 0 to %d tasks", c.Initial, MaxTasks)
	}
	if c.Period <= 0 || c.Period > maxPeriod {
		refuse("period", "%s, want a time above 0 and at most 24h", c.Period)
	}
	type evaluation struct {
		field string
		Evaluation
	}
	evaluations := []evaluation{{"high", c.High}, {"low", c.Low}}
	if c.Balancer.Every > 1 {
		evaluations = append(evaluations, evaluation{"balancer.low", c.Balancer.Low})
	}
	for _, e := range evaluations {
		if e.Datapoints < 1 || e.Datapoints > e.Periods || e.Periods > maxEvaluation {
			refuse(e.field, "%d datapoints of %d periods, want at least 1 datapoint, not more than there are periods, and at most %d periods",
				e.Datapoints, e.Periods, maxEvaluation)
		}
	}
	for _, w := range []struct {
		field string
		d     time.Duration
	}{{"scale_out_cooldown", c.ScaleOutCooldown}, {"scale_in_cooldown", c.ScaleInCooldown}, {"metric_delay", c.MetricDelay}} {
		if w.d < 0 || w.d > maxWait {
			refuse(w.field, "%s, want a time that is not negative and at most 720h", w.d)
		}
	}
	if _, ok := c.ScaleIn.step(); !ok && c.ScaleIn != ScaleInProportional {
		errs = append(errs, &input.Error{Field: "scale_in_model", Got: string(c.ScaleIn), Want: wantScaleIn})
	}
	if b := c.Balancer; b.Every < 0 || b.Every > maxEvaluation || b.Every > 1 && (b.Delay < 0 || b.Delay > maxWait) {
		refuse("balancer", "%d periods seen after %s, want 0 to %d periods and a time that is not negative", b.Every, b.Delay, maxEvaluation)
	}
	switch c.RoundOut {
	case "", RoundUp, RoundNearest, RoundDown:
	default:
		errs = append(errs, &input.Error{Field: "round_out", Got: string(c.RoundOut), Want: "up, nearest or down"})
	}
	errs = append(errs, checkPolicies(c.Policies)...)
	return errors.Join(errs...)
}

// Watches reports whether a policy is on the metric.
func (c Config) Watches(metric string) bool {
	return slices.ContainsFunc(c.Policies, func(p Policy) bool { return p != nil && p.Metric() == metric })
}

// ScalesIn reports whether a policy ever asks for less: a service of which none does keeps what its load has brought.
func (c Config) ScalesIn() bool {
	return slices.ContainsFunc(c.Policies, func(p Policy) bool {
		if p == nil {
			return false
		}
		_, low := p.alarms(&c)
		return low != nil
	})
}

// balancerLow is when the low alarm of MetricRequests goes into ALARM.
func (c Config) balancerLow() Evaluation {
	if c.Balancer.Every > 1 {
		return c.Balancer.Low
	}
	return c.Low
}

func checkBounds(low, high int, refuse func(field, format string, args ...any)) {
	if low < 0 {
		refuse("min", "%d, want 0 or more tasks", low)
	}
	switch {
	case high < 1 || high > MaxTasks:
		refuse("max", "%d, want 1 to %d tasks", high, MaxTasks)
	case low > high:
		refuse("min", "%d is above the maximum of %d", low, high)
	}
}

// whole makes x whole. What is whole but for the rounding of its float64 is left: 6 × 41.7 ÷ 50.04
// is 5 and must not become 6.
func (r Rounding) whole(x float64) int {
	nearest := math.Round(x)
	switch {
	case math.Abs(x-nearest) <= 1e-9*math.Abs(x):
		x = nearest
	case r == RoundNearest:
		x = nearest
	case r == RoundDown:
		x = math.Floor(x)
	default:
		x = math.Ceil(x)
	}
	return int(min(max(x, 0), maxWanted))
}

// maxWanted is the most that a policy is said to want: AWS holds capacities in 32 bits.
const maxWanted = math.MaxInt32
