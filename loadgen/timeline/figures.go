package timeline

import (
	"encoding/json"
	"math"
	"time"
)

// Span is a length of time by both clocks.
type Span struct {
	Run     time.Duration // real time
	Service time.Duration // Run × Speedup: what it would be on AWS
}

type wireSpan struct {
	Run     instantS `json:"run_s"`
	Service instantS `json:"service_s"`
}

// MarshalJSON is {"run_s": …, "service_s": …}, in seconds.
func (s Span) MarshalJSON() ([]byte, error) {
	return json.Marshal(wireSpan{inS(s.Run), inS(s.Service)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Span) UnmarshalJSON(data []byte) (err error) {
	var w wireSpan
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*s = Span{w.Run.take("run_s", 0, &err), w.Service.take("service_s", 0, &err)}
	return err
}

// span is a length of the run's clock by both.
func (t *Timeline) span(run time.Duration) Span {
	service := float64(run) * t.Speedup
	return Span{run, time.Duration(math.Round(min(service, 1<<62)))}
}

// Figures say how capacity followed load: the object "elasticity" of result.json. A nil pointer (null in JSON) is
// unknown, or of what did not happen; it is never 0. They are of the time from LoadFrom to End unless they say
// otherwise, both included. Counts of tasks are of running ones unless they say otherwise.
type Figures struct {
	Speedup float64 `json:"speedup"`
	Load    Span    `json:"load"`    // how long load lasted: LoadTo − LoadFrom
	Watched Span    `json:"watched"` // how long capacity was watched: End − LoadFrom

	MinTasks      int `json:"min_tasks"`
	MaxTasks      int `json:"max_tasks"`
	MinHealthy    int `json:"min_healthy"`
	MaxHealthy    int `json:"max_healthy"`
	DesiredBefore int `json:"desired_before"` // when load began
	MinDesired    int `json:"min_desired"`
	MaxDesired    int `json:"max_desired"`

	// ScaleOutPath is desired capacity from the start of the load up to the first time that it was highest: 2, 6.
	// It has one number when capacity was never higher than at the start.
	ScaleOutPath []int `json:"scale_out_path"`
	// ScaleInPath is desired capacity from the last time that it was highest: 6, 5, 4, 3, 2. It has one
	// number when capacity did not come down.
	ScaleInPath []int `json:"scale_in_path"`

	// Activities is how many scaling activities came about, NotScaled how many did not (Status NotScaled).
	Activities int `json:"activities"`
	NotScaled  int `json:"not_scaled"`

	// Replacements is how many tasks were placed for others that were gone or were to go (killed, failed, deployed anew,
	// rebalanced). No figure of scaling counts them: MaxTasks and MaxHealthy are then at most MaxDesired.
	Replacements int `json:"replacements"`

	// Oscillations is how often desired capacity turned round while nothing asked for it: a scale-out
	// followed by a scale-in, or the reverse, with steady load and the same bounds from the one to the other.
	// Load is steady when the rate of each of its steps is within a fifth of their mean over that time, or as far from
	// it as four standard deviations of its count of requests (Poisson). So 6, 5, 6, 5 under one load counts
	// as 3. A scale-in after the end of the load does not count, unless the scale-out before it also came after the end of the
	// load: then it counts as 1. Unknown without a Load. Defined here; what research calls jitter is Accuracy.JitterPerHour.
	Oscillations *int `json:"oscillations"`

	Lags Lags `json:"lags"`

	// ScaleOut is from the start of the load until the last new task is healthy: the first instant, from
	// when desired capacity was first highest, with as many healthy tasks. Null when capacity was never higher
	// than when load began, or when they never were.
	ScaleOut *Span `json:"scale_out"`
	// Recovery is from the end of the load until capacity is back at the minimum that is in force at the end of the
	// observation, and stays there until then: desired is the minimum, no more are running, none is draining.
	// Null when it was not above it from the load's start on, is not back, or was not watched after the load. Defined here.
	Recovery *Span `json:"recovery"`
	// Steady is [Timeline.Steady].
	Steady *Stretch `json:"steady"`

	// TaskHours is ∫ (running + draining) dt in simulated time: what is paid for, without what a task
	// costs before it runs.
	TaskHours float64 `json:"task_hours"`

	// Provisioning is what needs a demand to compare with: a Load and a known Capacity.
	Provisioning *Provisioning `json:"provisioning"`

	// Unknown are the counts that nobody could see for some of the time: what of them stands above is of the rest, and what rests on all
	// of them is null.
	Unknown []Count `json:"unknown,omitempty"`

	// Tasks are the shares of the load, in order of Requested; empty when tasks were not told apart.
	Tasks []TaskShare `json:"tasks"`
}

// Stretch is a part of the run, on the run's clock.
type Stretch struct {
	From, To time.Duration
}

type wireStretch struct {
	From instantS `json:"from_s"`
	To   instantS `json:"to_s"`
}

// MarshalJSON is {"from_s": …, "to_s": …}.
func (s Stretch) MarshalJSON() ([]byte, error) {
	return json.Marshal(wireStretch{inS(s.From), inS(s.To)})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *Stretch) UnmarshalJSON(data []byte) (err error) {
	var w wireStretch
	if err := json.Unmarshal(data, &w); err != nil {
		return err
	}
	*s = Stretch{w.From.take("from_s", 0, &err), w.To.take("to_s", 0, &err)}
	return err
}

// Lags are how long each step towards the first scale-out took. All but the last two are since the load began, so that
// what one step took is the difference to the one before. Null: it did not happen, or nothing tells. The chain
// (alarm, decision, provisioning, registration, drain) is what a timeline of AWS gives too; the split is ours.
type Lags struct {
	Alarm    *Span `json:"alarm"`    // an AlarmHigh is in ALARM
	Decision *Span `json:"decision"` // the first scaling activity that adds tasks starts; without activities, desired first rises
	// Running and Healthy: the first instant from the decision on with more tasks running (healthy) than it came from.
	Running *Span `json:"running"`
	Healthy *Span `json:"healthy"`
	// FirstResponse: a client got the first response from a task that was requested at the decision or later.
	FirstResponse *Span `json:"first_response"`

	// ScaleIn is from the end of the load to the first scaling activity that removes tasks (without activities, until desired first falls).
	ScaleIn *Span `json:"scale_in"`
	// Drain is from then until no more are running than it asked for, and none is draining.
	Drain *Span `json:"drain"`
}

// Provisioning compares supply s, the healthy tasks, with demand d, the tasks that the load needs, both step
// functions of time:
//
//	d = max(⌈offered rate ÷ (PerTask × Utilisation)⌉, the minimum in force)
//
// The first is [Capacity.Tasks]. The minimum is in it because no autoscaler could do with less, so that the
// ideal is one that knows the load beforehand (clairvoyant) within the lower bound; the upper bound is not, because a
// service at its maximum can be too small. (The minimum is ours; [Herbst] has the first alone.)
type Provisioning struct {
	PerTask     float64 `json:"requests_per_second_per_task"`
	Utilisation float64 `json:"utilisation"`
	// MaxDemand is the highest demand, without the minimum.
	MaxDemand int `json:"max_demand"`

	// DuringLoad is of the time from LoadFrom to LoadTo, Whole up to End; null when that is no time.
	DuringLoad *Accuracy `json:"during_load"`
	Whole      *Accuracy `json:"whole"`

	// Steady is supply against demand while capacity was steady ([Timeline.Steady]); null when it never was.
	Steady *SteadySupply `json:"steady"`

	// Overshoot is how far capacity went beyond what was ever needed: max(0, highest s − highest d), in tasks, from
	// LoadFrom to End. From control engineering: the peak of the response above that of what it follows.
	Overshoot int `json:"overshoot_tasks"`

	// RequestsUnder and ErrorsUnder are those that completed while s < d. A step in which that changes
	// counts by its share of time, since its requests are taken as evenly spread. To the nearest whole one.
	RequestsUnder int64 `json:"requests_under_provisioned"`
	ErrorsUnder   int64 `json:"errors_under_provisioned"`
}

// SteadySupply is what was there of what was needed, from when the last change of capacity under load had settled until the
// load ended. Defined here: it answers whether capacity came to what the load needs, however long that took.
type SteadySupply struct {
	MaxDemand  int  `json:"max_demand"`  // tasks, the minimum included
	MinHealthy int  `json:"min_healthy"` // tasks
	Under      Span `json:"under_provisioned"`
}

// Accuracy is how near supply was to demand over a time T. The integrals are exact: sums over the stretches in
// which neither changes. In θ the divisor is demand, as in [Herbst], and not supply, which some implementations have in θ_O;
// where demand is 0 (a minimum of 0 and no load) it is 1.
type Accuracy struct {
	ThetaUnder float64 `json:"theta_under_percent"` // θ_U = 100/T · Σ max(d − s, 0)/d · Δt
	ThetaOver  float64 `json:"theta_over_percent"`  // θ_O = 100/T · Σ max(s − d, 0)/d · Δt
	AUnder     float64 `json:"a_under_tasks"`       // a_U = 1/T · Σ max(d − s, 0) · Δt
	AOver      float64 `json:"a_over_tasks"`        // a_O = 1/T · Σ max(s − d, 0) · Δt
	TauUnder   float64 `json:"tau_under_percent"`   // τ_U = 100/T · Σ [d > s] Δt
	TauOver    float64 `json:"tau_over_percent"`    // τ_O = 100/T · Σ [s > d] Δt

	// JitterPerHour is (Σ|Δs| − Σ|Δd|)/T: how many more tasks were moved than demand moved, each hour of simulated time;
	// below 0 where supply followed less than demand changed. It counts tasks, where Oscillations counts turns that
	// nothing asked for. Source: [Herbst], as its authors' BUNGEE computes it (NikolasHerbst/BUNGEE, metric tests).
	JitterPerHour float64 `json:"jitter_tasks_per_hour"`

	Under Span `json:"under_provisioned"` // Σ [d > s] Δt
	Over  Span `json:"over_provisioned"`  // Σ [s > d] Δt

	TaskHours      float64 `json:"task_hours"`       // ∫ (running + draining) dt in simulated time
	IdealTaskHours float64 `json:"ideal_task_hours"` // ∫ d dt in simulated time
}

// TaskShare is how much of the load one task had.
type TaskShare struct {
	ID       string `json:"id"`
	Zone     string `json:"zone"`
	Requests int64  `json:"requests"`
	Errors   int64  `json:"errors"`
	// Share is its Requests of those of all tasks; null when there were none.
	Share *float64 `json:"share"`
	// Rate is its Requests a second, on the run's clock, of the time in which it was healthy under load: from its first passing check
	// until it was deregistered or stopped, between LoadFrom and LoadTo. With it tasks of different ages
	// compare. Null when that was no time.
	Rate *float64 `json:"requests_per_second"`
}
