package autoscaling

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/near"
)

// Policy is a scaling policy: which metric it watches, which alarms stand on it, and what it asks
// for when one of them acts. Target tracking is one kind; scaling in steps on an alarm is another
// that fits here. The kinds are this package's own, because the rules between policies depend on them.
type Policy interface {
	// Metric names the datapoints that the policy is given, and the policy in alarms and activities.
	// It is one of MetricRequests, MetricCPU, MetricMemory and MetricP99.
	Metric() string
	// String is the form that ParsePolicy reads.
	String() string

	check(refuse func(field, format string, args ...any))
	// alarms are the policy's alarms; low is nil when it never asks for less.
	alarms(c *Config) (high, low *alarm)
	// wants is the count that the policy asks for when the alarm acts on datapoints with this mean.
	wants(c *Config, low bool, running, desired int, mean float64) int
	// tooMuch reports whether the metric would ask for more.
	tooMuch(metric float64) bool
}

// The metrics that a policy can watch. Their datapoints are one a period.
const (
	// MetricRequests is ALBRequestCountPerTarget: requests to a target in the period. It is 0 while
	// a target is registered and nothing is asked of it, missing when none is registered.
	MetricRequests = "requests"
	// MetricCPU is ECSServiceAverageCPUUtilization: percent of what the tasks may use, averaged over
	// them and the period. It is missing while no task runs.
	MetricCPU = "cpu"
	// MetricMemory is ECSServiceAverageMemoryUtilization: percent of what the tasks may use, averaged over them and the
	// period. It is missing while no task runs.
	MetricMemory = "memory"
)

func metrics() []string { return []string{MetricRequests, MetricCPU, MetricMemory} }

// TargetTracking is a policy that keeps a metric at a target.
type TargetTracking struct {
	// On is MetricRequests, MetricCPU or MetricMemory.
	On string
	// Target is in the metric's unit: requests in a period, or percent.
	Target float64
	// DisableScaleIn: the policy never asks for less, has no AlarmLow, and has no say when others do.
	DisableScaleIn bool
}

// DefaultPolicies are the seed's two.
func DefaultPolicies() []Policy {
	return []Policy{
		TargetTracking{On: MetricRequests, Target: DefaultRequestsTarget},
		TargetTracking{On: MetricCPU, Target: DefaultCPUTarget},
	}
}

func (p TargetTracking) Metric() string { return p.On }

// String is METRIC=TARGET, with ",disable-scale-in" after it where that is so.
func (p TargetTracking) String() string {
	s := p.On + "=" + strconv.FormatFloat(p.Target, 'f', -1, 64)
	if p.DisableScaleIn {
		s += "," + disableScaleIn
	}
	return s
}

func (p TargetTracking) check(refuse func(field, format string, args ...any)) {
	if !slices.Contains(metrics(), p.On) {
		refuse("metric", "%q is not known, want one of: %s", p.On, strings.Join(metrics(), ", "))
	}
	if !validTarget(p.Target) {
		refuse("target", "%v, want a number above 0", p.Target)
	}
}

// validTarget leaves out what is so small or large that a ratio to it leaves float64.
func validTarget(t float64) bool { return t >= 1e-9 && t <= 1e15 }

func (p TargetTracking) alarms(c *Config) (high, low *alarm) {
	high = newAlarm(p.On, true, p.Target, c.High)
	if !p.DisableScaleIn {
		e := c.Low
		if p.On == MetricRequests {
			e = c.balancerLow()
		}
		low = newAlarm(p.On, false, lowThreshold(p.Target), e)
	}
	return high, low
}

// lowThreshold is 90 % of the target without the noise that 50 × 0.9 leaves in float64.
func lowThreshold(target float64) float64 {
	t, _ := strconv.ParseFloat(strconv.FormatFloat(target*LowShare, 'g', 15, 64), 64)
	return t
}

func (p TargetTracking) wants(c *Config, low bool, running, desired int, mean float64) int {
	step, inSteps := c.ScaleIn.step()
	switch {
	case low && inSteps:
		return max(desired-step, 0)
	case low:
		return RoundUp.whole(float64(running) * mean / p.Target)
	}
	return c.RoundOut.whole(float64(running) * mean / p.Target)
}

// tooMuch leaves room for the rounding of float64, as whole does: what wants has just come to is not too much.
func (p TargetTracking) tooMuch(metric float64) bool { return metric > p.Target*(1+1e-8) }

func checkPolicies(policies []Policy) (errs []error) {
	if len(policies) == 0 {
		return []error{&input.Error{Field: "policies", Want: "none, want at least one, e.g. requests=50"}}
	}
	seen := map[string]bool{}
	for i, p := range policies {
		at := fmt.Sprintf("policies[%d]", i)
		if p == nil {
			errs = append(errs, &input.Error{Field: at, Want: "no policy, want e.g. requests=50"})
			continue
		}
		p.check(func(field, format string, args ...any) {
			errs = append(errs, &input.Error{Field: at + "." + field, Want: fmt.Sprintf(format, args...)})
		})
		if seen[p.Metric()] {
			// AWS: "Only one TargetTrackingScaling policy for a given metric specification is allowed."
			errs = append(errs, &input.Error{Field: at, Want: "a second policy on " + p.Metric() + ", want at most one for a metric"})
		}
		seen[p.Metric()] = true
	}
	return errs
}

const (
	disableScaleIn = "disable-scale-in"
	wantPolicy     = "METRIC=TARGET, e.g. requests=50 or cpu=50"
)

// ParsePolicy reads what [TargetTracking.String] and [StepScaling.String] write:
//
//	policy = tracking | steps
//	steps  = "p99" ">" bound ":+" tasks { "," ">" bound ":+" tasks } [ m "of" n ]
//	tracking = metric "=" target [ "," "disable-scale-in" ]
//	metric = "requests" | "cpu" | "memory"
//	target = a decimal number above 0; of cpu and memory it may end in "%"
//
// Requests are per task and minute, not per second. Every error is an [*input.Error].
func ParsePolicy(text string) (Policy, error) {
	s := strings.TrimSpace(text)
	if s == "" {
		return nil, &input.Error{Want: "empty, want " + wantPolicy}
	}
	if p, ok, err := parseSteps(s); ok {
		return p, err
	}
	spec, option, hasOption := strings.Cut(s, ",")
	metric, number, ok := strings.Cut(spec, "=")
	if strings.ContainsRune(s, '>') || strings.TrimSpace(metric) == MetricP99 {
		return nil, &input.Error{Got: s, Want: wantSteps} // of another figure than p99, or a target of it
	}
	metric, number = strings.TrimSpace(metric), strings.TrimSpace(number)
	if !slices.Contains(metrics(), metric) {
		e := &input.Error{Got: s, Want: wantPolicy}
		if word, found := near.Near(metric, metrics()); found {
			e.Hint = "did you mean " + word + "?"
		}
		return nil, e
	}
	if !ok {
		return nil, &input.Error{Got: s, Want: wantPolicy}
	}
	if metric != MetricRequests {
		number = strings.TrimSpace(strings.TrimSuffix(number, "%"))
	}
	target, good := input.Number(number)
	if !good || !validTarget(target) {
		return nil, &input.Error{Got: s, Want: wantPolicy + ", TARGET being a number above 0"}
	}
	p := TargetTracking{On: metric, Target: target}
	if hasOption {
		if strings.TrimSpace(option) != disableScaleIn {
			e := &input.Error{Got: s, Want: "nothing after the target but ," + disableScaleIn}
			if _, found := near.Near(strings.TrimSpace(option), []string{disableScaleIn}); found {
				e.Hint = "did you mean " + disableScaleIn + "?"
			}
			return nil, e
		}
		p.DisableScaleIn = true
	}
	return p, nil
}
