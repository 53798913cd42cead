package scaling

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/timeline"
)

// world is what the APIs have told so far, by identity, so that it does not matter in which order and how often.
type world struct {
	arn         string // of the service
	cluster     string
	name        string
	groups      []string // ARNs of target groups
	rebalancing bool
	counts      []count // of DescribeServices, those that changed
	deployments map[string]deployment
	events      map[string]event

	limits    []limits // of the scalable target, those that changed
	noTarget  bool     // it was asked for, and there is none
	policies  map[string]policy
	alarms    map[string]alarm
	changes   map[alarmAt]alarmChange
	data      map[dataAt]float64
	mutes     []mute
	acts      map[string]activity
	drain     time.Duration // deregistration delay; 0: not known
	tasks     map[string]task
	targets   map[string][]health // by target, what changed
	watched   map[string]span     // when a reader succeeded: first and last
	lookBack  bool
	skew      time.Duration // of AWS's clock against ours, where that is much
	firstPoll time.Time
	lastCount time.Time // when DescribeServices was last answered
}

type (
	span struct{ from, to time.Time }
	// count is what DescribeServices told from at on; before is when it last told otherwise, zero of the first.
	count struct {
		at, before       time.Time
		desired, running int
	}
	deployment struct {
		id, status, rollout, reason string
		created                     time.Time
		done                        time.Time // when it was first told to be over; zero: it is not
		seenBegin                   bool      // it was in progress when it was first seen
	}
	event struct {
		at      time.Time
		message string
	}
	limits struct {
		at               time.Time
		low, high        int
		in, out, planned bool // suspended
	}
	policy struct {
		name, metric, setting string // setting: requests=50, or empty where the lab has no such policy
		alarms                []string
		out, in               time.Duration
		noIn, step, predicts  bool
		target                float64
	}
	alarm struct {
		name, policy  string
		high, actions bool
		state         timeline.AlarmState
		since         time.Time
		reason        string
		period        time.Duration
		periods       int
		threshold     float64
		query         *query // of its metric; nil: it is none that can be asked for
	}
	alarmAt struct {
		name string
		at   int64
	}
	alarmChange struct {
		at     time.Time
		state  timeline.AlarmState
		reason string
		newest time.Time // when the newest datapoint's period began; zero: not told
	}
	dataAt struct {
		policy string
		at     int64
	} // a period's beginning
	mute struct {
		rule, alarm string
		from, to    time.Time // when it was first and last seen to be active
	}
	activity struct {
		id, policy, alarm   string
		start, end          time.Time
		to                  int // -1: not told
		status, description string
		cause, message      string
		reasons             []string
		current, low, high  int // of a reason; -1: not told
	}
	task struct {
		id, zone, deployment, ip, stopCode, reason string
		created, started, stopping, ended, stopped time.Time
		spot                                       bool
	}
	// health is a target's state from at on; "" is that it is not registered.
	health struct {
		at     time.Time
		state  string
		reason string
	}
)

func newWorld() world {
	return world{
		deployments: map[string]deployment{}, events: map[string]event{}, policies: map[string]policy{}, alarms: map[string]alarm{},
		changes: map[alarmAt]alarmChange{}, data: map[dataAt]float64{}, acts: map[string]activity{}, tasks: map[string]task{},
		targets: map[string][]health{}, watched: map[string]span{},
	}
}

// saw notes that a reader succeeded.
func (w *world) saw(what string, at time.Time) {
	s, ok := w.watched[what]
	if !ok {
		s.from = at
	}
	s.to = at
	w.watched[what] = s
}

// models are the rules by which this service scales, as far as it tells them, and AWS's for the rest.
func (w *world) models() autoscaling.Models {
	m := autoscaling.AWSModels()
	for _, a := range w.alarms {
		if a.period > 0 && a.period < m.Period {
			m = m.WithPeriod(a.period)
		}
	}
	for _, name := range sortedKeys(w.policies) {
		if p := w.policies[name]; !p.step {
			m.ScaleOutCooldown, m.ScaleInCooldown = p.out, p.in
			break
		}
	}
	if w.drain > 0 {
		m.Deregistration = w.drain
	}
	return m
}

// reaction is how long a load may last before target tracking decides on it.
func (w *world) reaction() time.Duration {
	m := w.models()
	return autoscaling.DefaultHighPeriods*m.Period + time.Duration(m.MetricDelay)
}

// settings are the models as a timeline keeps them.
func (w *world) settings() map[string]string {
	all := w.models().Settings()
	var policies []string
	for _, name := range sortedKeys(w.policies) {
		if s := w.policies[name].setting; s != "" {
			policies = append(policies, s)
		}
	}
	if len(policies) > 0 {
		all[autoscaling.SettingPolicy] = strings.Join(policies, "; ")
	}
	return all
}

// atMin says whether capacity is at rest at its minimum, as far as is known.
func (w *world) atMin(now time.Time) bool {
	if len(w.counts) == 0 || len(w.limits) == 0 {
		return false
	}
	c, low := w.counts[len(w.counts)-1], w.limits[len(w.limits)-1].low
	if c.desired != low || c.running > low {
		return false
	}
	for _, t := range w.tasks {
		if !t.stopping.IsZero() && t.gone().IsZero() {
			return false
		}
	}
	return true
}

// gone is when a task's containers had stopped; zero while they have not.
func (t *task) gone() time.Time {
	if !t.ended.IsZero() {
		return t.ended
	}
	return t.stopped
}

// leaves is when a task stopped to be a running one; zero while it is.
func (t *task) leaves() time.Time {
	if !t.stopping.IsZero() {
		return t.stopping
	}
	return t.gone()
}

// notes are what the APIs do not keep or do not have, a line each.
func (w *world) notes() (all []string) {
	if w.noTarget {
		all = append(all, "capacity: no scalable target is registered for this service: nothing scales it")
	}
	if len(w.groups) == 0 && w.arn != "" {
		all = append(all, "capacity: the service has no target group: a task counts as healthy while it runs")
	}
	if w.rebalancing {
		all = append(all, "capacity: the service moves tasks between zones (availabilityZoneRebalancing is ENABLED); such a move is told apart, but it does disturb a run")
	}
	if w.skew != 0 {
		all = append(all, "capacity: this machine's clock differs from AWS's by "+w.skew.Round(time.Second).String()+"; AWS's instants are moved onto the run's clock")
	}
	for _, name := range sortedKeys(w.alarms) {
		if a := w.alarms[name]; !a.actions {
			all = append(all, "capacity: the actions of the alarm "+name+" are disabled: it scales nothing")
		}
	}
	return all
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
