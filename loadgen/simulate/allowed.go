package simulate

import (
	"slices"
	"time"

	"scalableappbackend/loadgen/autoscaling"
)

// AllowedPeriods is what a real service may take longer than the state machine does: a decision that falls a period later, and
// tasks that come in the one after it.
const AllowedPeriods = 2

// TimeToCapacity is how long the state machine takes until there is as much capacity as the load needs, and AllowedPeriods as
// well: what a run of that load may be under-provisioned for. It is 0 where that capacity does not come while the load is on,
// and where nothing scales.
//
// Without a measured latency, policies on it are left out: they only add tasks, and what the others take is the most.
func (c Config) TimeToCapacity() time.Duration {
	c.Recovery = 0
	c = c.withoutUnknown()
	run, err := Run(c)
	if err != nil || run.Summary.UnderProvisioned == 0 && run.Summary.Activities == 0 {
		return 0
	}
	last := c.Load[len(c.Load)-1].Rate
	if p := run.Timeline.At(c.Load.End() - 1); float64(p.Healthy)*c.TaskCapacity < last {
		return 0
	}
	return (run.Summary.UnderProvisioned + AllowedPeriods*c.Config.Period).Truncate(time.Second)
}

// TimeToMin is how long a service at its maximum takes after a load until it is back at its minimum, by the state machine, and
// AllowedPeriods as well, to the minute; 0 where it does not come back within c's Recovery. The load of c does not matter.
func (c Config) TimeToMin() time.Duration {
	c = c.withoutUnknown()
	c.Initial = c.Max
	c.Load = Steps(c.Period, 0) // the alarms that go off after a load see one more period of it
	run, err := Run(c)
	if err != nil || run.Summary.BackToMin < 0 {
		return 0
	}
	return (run.Summary.BackToMin + AllowedPeriods*c.Period).Round(time.Minute)
}

// withoutUnknown is c without policies on a latency that was not measured.
func (c Config) withoutUnknown() Config {
	if len(c.Latency) == 0 {
		c.Policies = slices.DeleteFunc(slices.Clone(c.Policies), func(p autoscaling.Policy) bool { return p.Metric() == autoscaling.MetricP99 })
	}
	return c
}
