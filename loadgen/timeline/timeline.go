package timeline

import "time"

// Timeline is what capacity did during a run, on the run's clock. It has the same form whoever made it: the lab, a
// simulation, or a reader of AWS. Every list is in order of time.
type Timeline struct {
	Points     []Point
	Metrics    []Datum
	Alarms     []AlarmChange
	Activities []Activity
	Tasks      []Task
	Events     []Event
	Bounds     []BoundsChange // changes of Min and Max after the start; mostly none
	Unseen     []Unseen       // where a count of Points is not known; mostly nowhere

	// Service is the name of the service: see [Service]. Empty when it has none.
	Service string
	// PerTask is what one task can do at most, in requests/s on the run's clock; 0 when that is not known.
	PerTask float64
	// Speedup is how many times faster simulated time ran than the run's clock; 1 on AWS. All times here
	// are on the run's clock: multiply a difference by Speedup to get simulated time.
	Speedup float64
	// LoadFrom and LoadTo are when load began and ended.
	LoadFrom, LoadTo time.Duration
	// End is when observation ended; the last Point holds until then.
	End time.Duration
	// Min and Max are the bounds on desired capacity at the start.
	Min, Max int
	// Answers is whose the failures were, where a balancer counted them; nil where nobody did.
	Answers *Answers
	// Settings are those of the service by which it scaled, as the flags of the same names say them (policy, period,
	// task-start …), so that a simulation can take them over; nil where they are not known.
	Settings map[string]string
}

// Answers is what a balancer did with the requests of clients: those that it answered with an error itself, and those that
// a task answered so, as CloudWatch tells HTTPCode_ELB_5XX_Count and HTTPCode_Target_5XX_Count apart. Each request is in
// one of them at most.
type Answers struct {
	Requests       int64 `json:"requests"`        // answered or not
	Target5xx      int64 `json:"target_5xx"`      // a task's own
	NoTarget       int64 `json:"no_target"`       // 503: no task was registered and in service
	BadGateway     int64 `json:"bad_gateway"`     // 502: the task refused, closed, reset or answered nonsense
	GatewayTimeout int64 `json:"gateway_timeout"` // 504: the task did not accept or answer in time
	Cut            int64 `json:"cut"`             // the task failed within its answer's body
	ClientGone     int64 `json:"client_gone"`     // 460 in an Application Load Balancer's log
	ClientLate     int64 `json:"client_late"`     // 408: the client did not go on with its request
	Refused        int64 `json:"refused"`         // 400, 405, 414: no request for any task
}

// BoundsChange is a change of the bounds on desired capacity, in force from At on.
type BoundsChange struct {
	At       time.Duration
	Min, Max int
}

// Point is the capacity from At until the next Point.
type Point struct {
	At       time.Duration
	Desired  int // what the autoscaler asks for
	Running  int // started, draining ones not included
	Healthy  int // registered and passing health checks: what supply means
	Draining int // taking no new requests, finishing what they have
}

// Count is one of the counts of a Point.
type Count string

// The counts of a Point.
const (
	CountDesired  Count = "desired"
	CountRunning  Count = "running"
	CountHealthy  Count = "healthy"
	CountDraining Count = "draining"
)

// Unseen is a stretch in which nobody could see one of the counts of Points: it stands there as it was last or next known, and no
// figure may rest on it.
type Unseen struct {
	From, To time.Duration
	Count    Count
	Why      string
}

// NotSeen says why a count is not known at some instant of [from, to]; "" when it is known at all of them.
func (t *Timeline) NotSeen(from, to time.Duration, counts ...Count) (why string) {
	for _, u := range t.Unseen {
		for _, c := range counts {
			if u.Count == c && u.From <= to && u.To >= from && u.To > u.From {
				return string(c) + " is not known: " + u.Why
			}
		}
	}
	return ""
}

// Datum is a policy's metric over the period that ended at At.
type Datum struct {
	At     time.Duration
	Policy string
	Value  float64
	// Missing says that there was no datapoint; Value is 0 then.
	Missing bool
}

// AlarmState is CloudWatch's word for an alarm.
type AlarmState string

// The states of an alarm.
const (
	OK               AlarmState = "OK"
	Alarm            AlarmState = "ALARM"
	InsufficientData AlarmState = "INSUFFICIENT_DATA"
)

// AlarmChange is an alarm taking a new state.
type AlarmChange struct {
	At     time.Duration
	Alarm  string // AlarmHigh or AlarmLow, with the policy's name in front: requests-AlarmHigh
	Policy string
	High   bool
	State  AlarmState
	Reason string
}

// The statuses that figures tell apart; AWS has more, and every one but NotScaled is of an activity that came about.
const (
	Successful = "Successful"
	InProgress = "InProgress"
	Failed     = "Failed"
	NotScaled  = "NotScaled" // ours: AWS lists these among the activities, without a change of capacity
)

// Activity is a scaling activity as DescribeScalingActivities tells it, or one that did not come about.
type Activity struct {
	At               time.Duration // start
	Completed        time.Duration // 0 while in progress, or when it did not come about
	Policy           string        // empty for one that no policy caused
	From, To         int
	Status           string // AWS's word: Successful, InProgress, Failed, Overridden …; NotScaled for one that did not come about
	Description      string // AWS's words: "Setting desired count to 6."
	Cause            string
	StatusMessage    string   // "Successfully set desired count to 6. Change successfully fulfilled by ecs."
	NotScaledReasons []string // AWS's codes, e.g. AlreadyAtMaxCapacity
}

// Task is the life of one replica. An instant that it did not come to is negative: [Never]. One that lies before
// the run's clock began is 0, so that tasks from before the load have Requested ≤ LoadFrom.
type Task struct {
	ID        string
	Zone      string
	Requested time.Duration // the scheduler decided to place it
	Running   time.Duration
	Healthy   time.Duration // first passing check
	FirstSent time.Duration // first response that a client got from it
	Draining  time.Duration // deregistered
	Stopped   time.Duration
	Replaces  string // the ID of the one that is gone or is to go, for which it was placed; empty: more were desired
	Reason    string // why it stopped: scale-in, killed, failed health checks, died …
	Requests  int64  // completed, errors included
	Errors    int64
}

// Never is the time of what did not happen.
const Never time.Duration = -1

// EventDraining is the type of the event that a task begins its orderly end, which follows from a scale-in.
const EventDraining = "task-draining"

// Event is something else that happened: chaos, a change of bounds.
type Event struct {
	At     time.Duration
	Type   string
	Detail string
}
