package simulate

import (
	"math"
	"slices"
	"sort"
	"time"

	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/plan"
)

// Recommendation is the highest target for one policy with which a load never outgrows its capacity, and how that was
// reckoned. Capacity follows load by React: when a task more is there, the load is what it has become in that time. So with a
// target of T requests/s and task there are max(Min, L(t)/T) tasks at t + React, and they must be able to do L(t + React):
//
//	T = C × min over t of L(t) ÷ L(t + React), where Min tasks could not do L(t + React) anyhow
//
// and what comes within React of the beginning is for the tasks that are there then.
//
// with C what a task can do within the objective. It is ours, made of the models in force; AWS gives no rule.
type Recommendation struct {
	Capacity float64       // C, requests/s
	React    time.Duration // from the load's passing the target until a task more is healthy
	Growth   float64       // the most that the load grows in React, as a factor; 1 when Min tasks can do all of it
	At       time.Duration // from when on it grows like that
	From, To float64       // from this rate, to that

	Reckoned   float64 // T by the formula, requests/s and task
	Target     float64 // T, lowered where a simulation with the reckoned one is short of tasks for some time
	Requests   float64 // T as a target on requests: a minute, rounded down to two digits
	CPU        float64 // T as a target on CPU: percent, rounded down, at most 90: CPU ends at 100 %, and must be able to say more
	MinTasks   int     // Min must be this for a target to exist; the configured one when it is enough
	MaxTasks   int     // tasks that the load needs at its highest, with T; Max must be no lower
	Simulation Summary // of the recommended target alone, with MinTasks and MaxTasks
}

// Reaction is how long the models in force take at worst from when a load passes a target until a task more is healthy: the
// rest of the period under way, the alarm's periods, the datapoint's delay, the task's start, its first health check.
func (c Config) Reaction(metric string) time.Duration {
	period, delay := c.Period, c.MetricDelay
	if metric == autoscaling.MetricRequests && c.Balancer.Every > 1 {
		period, delay = time.Duration(c.Balancer.Every)*c.Period, c.Balancer.Delay
	}
	return time.Duration(c.High.Periods+1)*period + delay + c.TaskStart.Total() + c.Health
}

// Recommend reckons the target for a policy on a metric, requests or cpu. Errors are those of [Config.Validate].
func Recommend(c Config, metric string) (Recommendation, error) {
	if err := c.Validate(); err != nil {
		return Recommendation{}, err
	}
	r := Recommendation{Capacity: c.TaskCapacity, React: c.Reaction(metric), Growth: 1, MinTasks: c.Min}
	peak := 0.0
	for _, p := range c.Load {
		peak = max(peak, p.Rate)
	}
	curve := c.Load.Curve()
	// What comes before a first answer can, only those that are there from the beginning can do.
	if need := int(math.Ceil(c.Load.most(curve, 0, r.React)/c.TaskCapacity - 1e-9)); need > max(c.Min, c.Initial) {
		r.MinTasks = need
	}
	times := r.instants(c.Load)
	for {
		r.Growth, r.At, r.From, r.To = 1, 0, 0, 0
		for _, t := range times {
			now, then := curve.At(t), c.Load.most(curve, t, t+r.React)
			if then <= float64(r.MinTasks)*c.TaskCapacity*(1+1e-9) {
				continue
			}
			growth := math.Inf(1)
			if now > 0 {
				growth = then / now
			}
			if growth > r.Growth {
				r.Growth, r.At, r.From, r.To = growth, t, now, then
			}
		}
		// A target below an hundredth of what a task can do is none: as many tasks had better be there before.
		if r.Growth < 100 {
			break
		}
		r.MinTasks = max(r.MinTasks+1, int(math.Ceil(r.To/c.TaskCapacity-1e-9)))
	}
	r.Target = c.TaskCapacity / r.Growth
	r.Reckoned = r.Target
	for range maxLowered {
		if err := r.simulate(c, metric, peak); err != nil || r.Simulation.UnderProvisioned == 0 {
			return r, err
		}
		r.Target *= lower
	}
	r.Target = r.Reckoned
	return r, r.simulate(c, metric, peak)
}

// A reckoned target is lowered by lower, at most so often, until its simulation is never short: datapoints are means of what
// has been, and tasks whole.
const (
	lower      = 0.97
	maxLowered = 40
)

// simulate is what becomes of c with the target alone.
func (r *Recommendation) simulate(c Config, metric string, peak float64) error {
	r.Requests = twoDigits(r.Target * 60)
	r.CPU = min(90, math.Floor(100*r.Target/c.TaskCapacity+1e-9))
	r.MaxTasks = max(c.Max, r.MinTasks, int(math.Ceil(peak/r.Target-1e-9)))
	c.Min, c.Max = r.MinTasks, r.MaxTasks
	target := r.Requests
	if metric == autoscaling.MetricCPU {
		target = r.CPU
	}
	c.Policies = []autoscaling.Policy{autoscaling.TargetTracking{On: metric, Target: max(target, 1)}}
	run, err := Run(c)
	r.Simulation = run.Summary
	return err
}

// twoDigits rounds down to two digits that count, as one would set it.
func twoDigits(x float64) float64 {
	if x <= 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(x))-1)
	return math.Floor(x/unit+1e-9) * unit
}

// instants are where the quotient of a load and what it becomes can be at its least: at points, React before points, and
// in between in steps of a fiftieth of React.
func (r *Recommendation) instants(l Load) []time.Duration {
	var all []time.Duration
	for _, p := range l {
		for _, t := range []time.Duration{p.At, p.At - r.React, p.At - 1} {
			if t >= 0 && t < l.End() {
				all = append(all, t)
			}
		}
	}
	step := max(r.React/50, l.End()/20_000, 1)
	for t := time.Duration(0); t < l.End(); t += step {
		all = append(all, t)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// most is the highest rate in [from, to].
func (l Load) most(c plan.Curve, from, to time.Duration) float64 {
	highest := max(c.At(from), c.At(to))
	for _, p := range l[sort.Search(len(l), func(i int) bool { return l[i].At >= from }):] {
		if p.At > to {
			break
		}
		highest = max(highest, p.Rate)
	}
	return highest
}
