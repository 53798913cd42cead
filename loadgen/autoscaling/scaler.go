package autoscaling

import (
	"math"
	"slices"
	"strings"
	"time"

	"scalableappbackend/loadgen/timeline"
)

// Scaler is the state of a service's scaling. It is not safe for concurrent use. Times that it is
// given never go backwards: an earlier one counts as the latest that it has seen.
type Scaler struct {
	cfg      Config
	policies []*tracked // in order of their metric, so that the caller's order cannot matter

	now      time.Duration
	period   int // the last one judged
	min, max int
	desired  int
	running  int

	deploying bool

	current  int // index of the activity in progress, or none
	cooldown cooldown

	metrics    []timeline.Datum
	changes    []timeline.AlarmChange
	activities []timeline.Activity
	unscaled   string // why the last action did nothing, so that it is said once
}

// tracked is a policy with its alarms.
type tracked struct {
	Policy
	high, low *alarm // low may be nil
	told      bool   // a datapoint, or that there is none, came with the last period
	longer    balancerPeriod
}

// balancerPeriod collects what makes one of the balancer's longer periods: the sum of requests, the last p99, which is of
// the whole, because percentiles do not add up.
type balancerPeriod struct {
	value   float64
	present bool
	waiting []datapoint // whole ones that are not seen yet, oldest first
}

// cooldown is the time after a policy's completed activity, or none. That of a scale-out is made when
// the activity begins, with until 0, to collect what is added.
type cooldown struct {
	out   bool
	until time.Duration
	added int // by the scale-out that cools down or is in progress, and by those that it overrode
}

const none = -1

// New is the scaling of a service at the beginning of the load: every alarm without data, nothing in
// progress, no cooldown. Errors are those of [Config.Validate].
func New(cfg Config) (*Scaler, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg.Policies = slices.Clone(cfg.Policies)
	slices.SortFunc(cfg.Policies, func(a, b Policy) int { return strings.Compare(a.Metric(), b.Metric()) })
	s := &Scaler{cfg: cfg, min: cfg.Min, max: cfg.Max, desired: cfg.Initial, current: none}
	if s.desired == 0 {
		s.desired = cfg.Min
	}
	if s.cfg.Service == "" {
		s.cfg.Service = "lab/api"
	}
	s.running = s.desired
	for _, p := range cfg.Policies {
		t := &tracked{Policy: p}
		t.high, t.low = p.alarms(&s.cfg)
		s.policies = append(s.policies, t)
	}
	return s, nil
}

// Observation is what is known when a period's datapoints are seen.
type Observation struct {
	// Period is the number of the period, counted from 1: it ends at Period × Config.Period. One
	// that was judged before, or an older one, changes nothing; those left out have no datapoints.
	Period int
	// At is when the datapoints are seen; earlier than [Scaler.Due] counts as Due.
	At time.Duration
	// Running and Draining are the tasks at At, as for [Scaler.Settle].
	Running, Draining int
	// Deploying says that the service has a deployment under way: scale-in is off until it ends, scale-out goes on (the
	// ECS guide, "Target tracking scaling policies").
	Deploying bool
	// Values are the datapoints, one for each policy's metric. One that is absent, NaN or infinite
	// is missing. The map is not kept. Of MetricP99 the one that counts is that of a whole period of the balancer: see
	// [BalancerMetrics].
	Values map[string]float64
}

// Decision is what became of a period, or of a change of bounds.
type Decision struct {
	At time.Duration
	// From and To are the desired count before and after. They differ exactly when an activity began.
	From, To int
	// Policy is the one that decided; empty when no alarm acted, or the bounds did.
	Policy string
	// Wanted is what it asked for, before cooldown and bounds.
	Wanted int
	// NotScaled is AWS's code for why nothing changed although an alarm acted; empty otherwise.
	NotScaled string
	// Held says in words why nothing changed although an alarm is in ALARM, where AWS has no code
	// for it or the code does not say all.
	Held string
	// Proposals are what the policies asked for, in order of their metric.
	Proposals []Proposal
}

// Proposal is what one policy asks for.
type Proposal struct {
	Policy string
	Out    bool
	Mean   float64 // of the alarm's datapoints
	Wanted int     // before cooldown and bounds
}

// Due is when a period's datapoints are seen.
func (s *Scaler) Due(period int) time.Duration {
	return time.Duration(period)*s.cfg.Period + s.cfg.MetricDelay
}

// Next is the period that Step is to be given next, and when.
func (s *Scaler) Next() (period int, due time.Duration) {
	return s.period + 1, s.Due(s.period + 1)
}

// Desired is the count that the service is to have.
func (s *Scaler) Desired() int { return s.desired }

// Bounds are those in force.
func (s *Scaler) Bounds() (low, high int) { return s.min, s.max }

// InProgress reports whether an activity has not completed yet.
func (s *Scaler) InProgress() bool { return s.current != none }

// CoolingDown reports the end of the cooldown in force at a time, if there is one.
func (s *Scaler) CoolingDown(at time.Duration) (until time.Duration, ok bool) {
	return s.cooldown.until, at < s.cooldown.until
}

// Step gives the datapoints of a period: alarms are evaluated, and those in ALARM act.
func (s *Scaler) Step(o Observation) Decision {
	if o.Period <= s.period {
		return Decision{At: s.now, From: s.desired, To: s.desired}
	}
	at := max(s.now, o.At, s.Due(o.Period))
	// Of a long gap only its end can matter: what is older has left every alarm.
	for p := max(s.period+1, o.Period-maxEvaluation-beyondPeriods); p < o.Period; p++ {
		s.evaluate(p, max(s.now, s.Due(p)), nil)
	}
	s.period = o.Period
	s.deploying = o.Deploying
	s.Settle(at, o.Running, o.Draining)
	s.evaluate(o.Period, at, o.Values)
	return s.decide(at)
}

// evaluate gives every alarm its datapoint.
func (s *Scaler) evaluate(period int, at time.Duration, values map[string]float64) {
	for _, p := range s.policies {
		v, ok := values[p.Metric()]
		end := time.Duration(period) * s.cfg.Period
		d := datapoint{from: end - s.cfg.Period, value: v, missing: !ok || math.IsNaN(v) || math.IsInf(v, 0)}
		if d.missing {
			d.value = 0
		}
		p.told = true
		if !balancers(p.Metric()) || s.cfg.Balancer.Every <= 1 {
			s.give(p, d, end, at)
			continue
		}
		p.told = false
		for _, whole := range p.longer.add(d, p.Metric() == MetricRequests, period, at, &s.cfg) {
			p.told = true
			s.give(p, whole, whole.from+s.cfg.balancerPeriod(), at)
		}
	}
}

// give gives a policy's alarms a datapoint of the period that ended at end.
func (s *Scaler) give(p *tracked, d datapoint, end, at time.Duration) {
	s.metrics = append(s.metrics, timeline.Datum{At: end, Policy: p.Metric(), Value: d.value, Missing: d.missing})
	for _, a := range []*alarm{p.high, p.low} {
		if a == nil {
			continue
		}
		seen := d
		if _, steps := p.Policy.(StepScaling); steps {
			seen = notBreaching(d)
		}
		if reason, changed := a.push(seen); changed {
			s.changes = append(s.changes, timeline.AlarmChange{
				At: at, Alarm: a.name(), Policy: p.Metric(), High: a.high, State: a.state, Reason: reason,
			})
		}
	}
}

// balancerPeriod is how long one of the balancer's periods is.
func (c *Config) balancerPeriod() time.Duration {
	return time.Duration(max(c.Balancer.Every, 1)) * c.Period
}

// balancers reports whether a metric is the balancer's, and has its periods.
func balancers(metric string) bool { return metric == MetricRequests || metric == MetricP99 }

// add takes a period's datapoint, and returns the whole periods of the balancer that are seen by now.
func (b *balancerPeriod) add(d datapoint, sum bool, period int, at time.Duration, c *Config) (seen []datapoint) {
	whole := period%c.Balancer.Every == 0
	switch {
	case d.missing:
	case sum:
		b.value, b.present = b.value+d.value, true
	case whole:
		b.value, b.present = d.value, true
	}
	if whole {
		from := time.Duration(period)*c.Period - c.balancerPeriod()
		b.waiting = append(b.waiting, datapoint{from: from, value: b.value, missing: !b.present})
		b.value, b.present = 0, false
	}
	for len(b.waiting) > 0 && b.waiting[0].from+c.balancerPeriod()+c.Balancer.Delay <= at {
		seen = append(seen, b.waiting[0])
		b.waiting = b.waiting[1:]
	}
	return seen
}

// Settle tells how many tasks run, draining ones not included, and how many drain. It is to be
// called whenever that changes: an activity completes at that moment, and its cooldown begins. Out is
// complete when the desired count runs, in when no more than that run and none drains.
func (s *Scaler) Settle(at time.Duration, running, draining int) (completed bool) {
	s.now = max(s.now, at)
	s.running = max(running, 0)
	if s.current == none {
		return false
	}
	a := &s.activities[s.current]
	out := a.To > a.From
	if out && running < a.To || !out && (running > a.To || draining > 0) {
		return false
	}
	s.finish(a)
	if a.Policy == "" {
		return true // a change of bounds is no policy's activity and starts no cooldown
	}
	if out {
		s.cooldown.until = s.now + s.cfg.ScaleOutCooldown
	} else {
		s.cooldown.until = s.now + s.cfg.ScaleInCooldown
	}
	return true
}

// SetBounds changes the bounds in mid-run. A desired count outside them is moved to the nearest at
// once: modifying a bound "initiates scaling activities", as the guide says. Bounds that
// Config.Validate would refuse are refused, and nothing has changed then.
func (s *Scaler) SetBounds(at time.Duration, low, high int) (Decision, error) {
	c := s.cfg
	c.Min, c.Max = low, high
	if err := c.Validate(); err != nil {
		return Decision{}, err
	}
	s.now = max(s.now, at)
	s.min, s.max = low, high
	d := Decision{At: s.now, From: s.desired, To: min(max(s.desired, low), high)}
	if d.To != d.From && s.cooldown.until == 0 {
		s.cooldown = cooldown{} // a scale-out in progress is overridden and will not cool down
	}
	switch {
	case d.To > d.From:
		s.begin(&d, boundCause("minimum", d.To))
	case d.To < d.From:
		s.begin(&d, boundCause("maximum", d.To))
	}
	return d, nil
}

// Metrics are the datapoints so far, in the order in which they were seen; AlarmChanges what they did to the alarms,
// Activities the scaling that followed, both in order of time. All are of simulated time, and the caller's to keep.
//
// An activity that does not come about is listed once, not once a period, until something else happens.
func (s *Scaler) Metrics() []timeline.Datum { return slices.Clone(s.metrics) }

// AlarmChanges are the alarms' changes of state so far.
func (s *Scaler) AlarmChanges() []timeline.AlarmChange { return slices.Clone(s.changes) }

// Activities are the activities so far, the one in progress included.
func (s *Scaler) Activities() []timeline.Activity {
	all := slices.Clone(s.activities)
	for i := range all {
		all[i].NotScaledReasons = slices.Clone(all[i].NotScaledReasons)
	}
	return all
}
