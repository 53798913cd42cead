package awstest

import (
	"cmp"
	"slices"
	"time"
)

// Fact is one thing that is so of the service. Late, where a fact has it, is how long after its instant the APIs tell of it.
// Facts may be told in any order and again: of two with one identity the last one holds.
type Fact interface{ put(w *world) }

type (
	// Service is whose facts they are. The fake has one.
	Service struct {
		Cluster, Name string
		TargetGroup   string // its ARN's last part, targetgroup/NAME/ID; empty: it is behind no balancer
		Rebalancing   bool   // between zones
		Spot          bool   // its capacity provider is FARGATE_SPOT
	}
	// Desired is the desired count from At on.
	Desired struct {
		At   time.Time
		N    int
		Late time.Duration
	}
	// Deployment is one of the service, in progress until Done.
	Deployment struct {
		ID             string // ecs-svc/1
		TaskDefinition string
		At, Done       time.Time
	}
	// Task is one of the service. An instant that is zero has not come.
	Task struct {
		ID, Zone, IP, Deployment string
		Created, Started         time.Time
		Healthy                  time.Time // the first passing check
		Sick                     []Span    // in which its checks fail
		Stopping, Ended, Stopped time.Time // ECS's stoppingAt, executionStoppedAt and stoppedAt
		StopCode, Reason         string
		Late                     time.Duration // of each instant of it
	}
	// Span is some time.
	Span struct{ From, To time.Time }
	// Event is one of the service's.
	Event struct {
		ID      string
		At      time.Time
		Message string
		Late    time.Duration
	}
	// Datapoint is of the period that begins at At.
	Datapoint struct {
		Metric Metric
		At     time.Time
		Value  float64
		Late   time.Duration // since the period's end
	}
	// Metric is a metric and its statistic, over Period.
	Metric struct {
		Namespace, Name string
		Dimensions      string // Name=Value,Name=Value, by name
		Statistic       string
		Period          time.Duration
	}
	// AlarmState is a change of an alarm's state. Recent are the datapoints that it is on, oldest first.
	AlarmState struct {
		Alarm, From, To, Reason string
		At                      time.Time
		Recent                  []float64
		Newest                  time.Time // when the period of the newest of them began; zero: not told
		Late                    time.Duration
	}
	// Target is the scalable target from At on; its bounds, and what is suspended.
	Target struct {
		At       time.Time
		Min, Max int
		Suspended
	}
	// Suspended is which scaling is.
	Suspended struct{ In, Out, Scheduled bool }
	// Policy is a scaling policy with its alarms: of target tracking, unless Step.
	Policy struct {
		Name       string
		Metric     Metric
		Predefined string // ECSServiceAverageCPUUtilization …; empty: customized
		Label      string // of ALBRequestCountPerTarget
		Value      float64
		High, Low  string // names of alarms; empty: none
		Out, In    time.Duration
		NoScaleIn  bool
		Step       bool
	}
	// Activity is a scaling activity; one that is not over by Ended is in progress.
	Activity struct {
		ID                 string
		Start, Ended       time.Time
		Cause, Description string
		Status, Message    string // at the end
		NotScaled          []NotScaled
		Late               time.Duration
	}
	// NotScaled is a reason. A count below 0 is not told.
	NotScaled struct {
		Code              string
		Current, Min, Max int
	}
	// Mute is an alarm mute rule, active from From to To.
	Mute struct {
		Name     string
		Alarms   []string
		From, To time.Time
	}
)

// The word for a task's stop code when its Spot capacity was taken.
const SpotInterruption = "SpotInterruption"

type world struct {
	service     Service
	desired     []Desired
	deployments []Deployment
	tasks       []Task
	events      []Event
	data        []Datapoint
	alarms      []AlarmState
	targets     []Target
	policies    []Policy
	activities  []Activity
	mutes       []Mute
	logs        map[string][]string // lines, by group
}

// Tell adds facts.
func (f *Fake) Tell(facts ...Fact) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fact := range facts {
		fact.put(&f.world)
	}
}

// put keeps a list in order of time, with one entry an identity.
func put[T any, K comparable](list []T, x T, id func(T) K, at func(T) time.Time) []T {
	list = slices.DeleteFunc(list, func(y T) bool { return id(x) == id(y) })
	list = append(list, x)
	slices.SortStableFunc(list, func(a, b T) int { return at(a).Compare(at(b)) })
	return list
}

func (s Service) put(w *world) { w.service = s }
func (d Desired) put(w *world) {
	w.desired = put(w.desired, d, func(d Desired) int64 { return d.At.UnixNano() }, func(d Desired) time.Time { return d.At })
}
func (d Deployment) put(w *world) {
	w.deployments = put(w.deployments, d, func(d Deployment) string { return d.ID }, func(d Deployment) time.Time { return d.At })
}
func (t Task) put(w *world) {
	w.tasks = put(w.tasks, t, func(t Task) string { return t.ID }, func(t Task) time.Time { return t.Created })
}
func (e Event) put(w *world) {
	w.events = put(w.events, e, func(e Event) string { return e.ID }, func(e Event) time.Time { return e.At })
}
func (d Datapoint) put(w *world) {
	type id struct {
		metric Metric
		at     int64
	}
	w.data = put(w.data, d, func(d Datapoint) id { return id{d.Metric, d.At.UnixNano()} }, func(d Datapoint) time.Time { return d.At })
}
func (a AlarmState) put(w *world) {
	type id struct {
		alarm string
		at    int64
	}
	w.alarms = put(w.alarms, a, func(a AlarmState) id { return id{a.Alarm, a.At.UnixNano()} }, func(a AlarmState) time.Time { return a.At })
}
func (t Target) put(w *world) {
	w.targets = put(w.targets, t, func(t Target) int64 { return t.At.UnixNano() }, func(t Target) time.Time { return t.At })
}
func (p Policy) put(w *world) {
	w.policies = put(w.policies, p, func(p Policy) string { return p.Name }, func(Policy) time.Time { return time.Time{} })
	slices.SortFunc(w.policies, func(a, b Policy) int { return cmp.Compare(a.Name, b.Name) })
}
func (a Activity) put(w *world) {
	w.activities = put(w.activities, a, func(a Activity) string { return a.ID }, func(a Activity) time.Time { return a.Start })
}
func (m Mute) put(w *world) {
	w.mutes = put(w.mutes, m, func(m Mute) string { return m.Name }, func(m Mute) time.Time { return m.From })
}

// come says whether an instant has come, and is told of, by now.
func come(at time.Time, late time.Duration, now time.Time) bool {
	return !at.IsZero() && !at.Add(late).After(now)
}

// seen is an instant that has come and is told of; nil when it is not.
func seen(at time.Time, late time.Duration, now time.Time) any {
	if !come(at, late, now) {
		return nil
	}
	return at
}
