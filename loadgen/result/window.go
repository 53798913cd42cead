package result

import (
	"math"
	"strconv"
	"time"

	"scalableappbackend/loadgen/plan"
)

// Window is what happened in one interval of a run, over all endpoints: the unit in which a run
// is watched, written, merged and summed up. A run's windows follow each other without gap, are
// a second long, and are cut where a phase ends, so that each belongs to exactly one phase.
//
// A request counts in the window in which it completed, and belongs to the phase in which it was
// due: Parts divides a window by that. A Window that was handed to a Sink is immutable: readers
// share it and must not change it or anything it points to.
type Window struct {
	From, To time.Duration // on the run's clock: since the first user or request was due
	Phase    int           // in which it lies in time: index into Meta.Phases
	Name     string        // of the phase: warm-up, ramp, steady, held or drain

	Users    int // users at the end of the window (closed model)
	InFlight int // requests under way at the end of the window

	Offered int64 // sends that came due in it
	Sent    int64 // sends that left in it

	Lag      *Histogram // lateness of the generator itself: send − ready; nil when nothing was sent
	SlotWait *Histogram // time a due send waited because max-in-flight was reached; nil when none did

	Endpoints []EndpointWindow // those with something to tell, by index
	Clamped   int64            // latencies above MaxLatency, counted as MaxLatency

	// Parts are Sent, Lag, SlotWait and Endpoints by the phase in which the sends were due, in order
	// of phases; they add up to these. Nil when all were due in the window's own phase.
	Parts []Part
	// Ends are, in the last window of a run that came to its end, the sends that no answer ended, one
	// for each phase in which some were due. Ended says that there can be no more: without it nobody
	// counted them.
	Ends  []End
	Ended bool

	Connections Connections      // what changed in this window
	ServedBy    map[string]int64 // responses by X-Served-By; nil when no response had one

	Health     []Health   // the generator itself, one reading a second
	Standstill Standstill // when it was not there

	Slowest        []Example // requests that entered the run's slowest so far
	FailedExamples []Example // failures kept as examples
	Exemplars      Exemplars // the same among requests with a trace

	Events []Event // what happened in it, in order

	// Revision is the plan as it had been edited by the end of the window; nil before the first edit. It is shared by all
	// windows until the next one.
	Revision *Revision
}

// Revision is what an edit makes of Meta. The phases that had begun before it are as they were.
type Revision struct {
	Plan   plan.Plan
	Phases []plan.Phase
}

// Seconds is the window's length in seconds.
func (w *Window) Seconds() float64 { return (w.To - w.From).Seconds() }

// Part is what of a window was due in one phase.
type Part struct {
	Phase     int // index into Meta.Phases
	Sent      int64
	Lag       *Histogram
	SlotWait  *Histogram
	Endpoints []EndpointWindow
}

// End is what was due in one phase and that no answer ended: Dropped of it was never sent, the rest
// was under way. Unanswered had the whole stop timeout, or waited for a slot as long; Cut ended
// sooner, by a second signal, a stop timeout of 0, or the plan that took its user away; OwnDrops
// had a free slot, and were the generator's to send. Every send is in one of the three.
type End struct {
	Phase                              int // index into Meta.Phases
	Dropped, OwnDrops, Unanswered, Cut int64

	// Ages, since they were due, of those that were never sent and so belong to no endpoint. Those
	// that were sent are in the windows of their endpoints.
	UnansweredAges, CutAges *Histogram
}

// EndpointWindow is one endpoint's part of a Window. A nil histogram is an empty one.
type EndpointWindow struct {
	Endpoint int // index into Meta.Endpoints

	Requests  int64 // completed: successes and failures
	Failures  int64
	Abandoned int64 // under way when the drain ended, and cut
	Retried   int64 // sent again by the transport because a kept-alive connection was closed under it
	BytesIn   int64 // of response bodies, as read
	BytesOut  int64 // of request bodies
	Truncated int64 // bodies above max-body, read up to the limit
	Redirects int64 // hops followed

	Status map[int]int64 // final status codes
	Errors []ErrorCount  // one for each kind and message

	Raw       *Histogram // successes: send → body read
	Corrected *Histogram // successes: what the service made the send wait, and what it took
	Failed    *Histogram // failures: send → failure
	FirstByte *Histogram // send → first byte of the final answer, successes
	Connect   *Histogram // DNS, TCP and TLS of requests that opened a connection

	// Of those abandoned, how old they were when nobody waited for them any longer: as a corrected
	// latency, and as a raw one.
	Unanswered, UnansweredRaw *Histogram
	Cut, CutRaw               *Histogram
}

// ErrorCount is one way in which requests failed.
type ErrorCount struct {
	Kind    string // a fixed word, e.g. connection_refused
	Message string // in words a person uses, e.g. "connection refused"; holds nothing that differs between requests
	Count   int64
	First   time.Duration // on the run's clock
	Last    time.Duration
}

// Connections counts what the transport did.
type Connections struct {
	Opened    int64            `json:"opened"`
	Reused    int64            `json:"reused"`               // requests that went out on a kept-alive connection
	Retried   int64            `json:"retried"`              // requests the transport sent again on its own
	ByAddress map[string]int64 `json:"by_address,omitempty"` // connections opened, by remote address
}

// Example is one request worth showing: among the slowest, or one that failed.
type Example struct {
	At       time.Duration // when it was sent, on the run's clock
	Endpoint string
	Status   int           // 0 without an answer
	Latency  time.Duration // corrected for a success, time to failure else
	ServedBy string
	Error    string // message of the failure
	Retried  bool
	TraceID  string // in hex; empty when it had no trace
}

// Exemplars are examples among the requests that carried a trace, which are a sample of all: what a tracing system can be
// asked for.
type Exemplars struct {
	Slowest []Example // those that entered the slowest of them so far
	Failed  []Example
}

// Event is something that happened at an instant of the run: a phase began, a stop was asked for,
// a warning. Type is a fixed word; Detail is for people.
type Event struct {
	At     time.Duration
	Type   string
	Detail string
}

// The types of events a run writes.
const (
	EventPhase   = "phase"   // a phase began
	EventEdit    = "edit"    // the plan was changed
	EventStop    = "stop"    // sending ended before the plan's end
	EventWarning = "warning" // something the reader of the result should know
	EventFreeze  = "freeze"  // the generator stood still
	EventClock   = "clock"   // the wall clock jumped

	EventScaling   = "scaling"    // a scaling activity began; where capacity is watched
	EventNotScaled = "not_scaled" // an alarm acted and nothing changed
)

// Reading is a measured value that may be unknown, which is NaN here and null in JSON.
// Unknown is not zero: a probe that cannot be read must not look like a healthy one.
type Reading float64

// Unknown is the Reading of a probe that cannot be read.
func Unknown() Reading { return Reading(math.NaN()) }

// Known reports whether the value was measured.
func (r Reading) Known() bool { return !math.IsNaN(float64(r)) }

// MarshalJSON writes the number with six digits after the point, or null.
func (r Reading) MarshalJSON() ([]byte, error) {
	if !r.Known() || math.IsInf(float64(r), 0) {
		return []byte("null"), nil
	}
	rounded := math.Round(float64(r)*1e6) / 1e6
	return strconv.AppendFloat(nil, rounded, 'f', -1, 64), nil
}

// UnmarshalJSON reads a number or null.
func (r *Reading) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*r = Unknown()
		return nil
	}
	v, err := strconv.ParseFloat(string(data), 64)
	*r = Reading(v)
	return err
}

// Health is one second of the generator's own condition. Ratios are 0 to 1.
type Health struct {
	CPU       Reading // CPU time used ÷ CPU time the process may use (quota, affinity, task limit)
	Throttled Reading // share of the second in which the cgroup held the process back
	Steal     Reading // share of the host's CPU time taken by its hypervisor
	GC        Reading // CPU time spent on garbage collection ÷ CPU time the process may use
	RSS       Reading // resident memory, bytes
	OpenFiles Reading // descriptors in use
}
