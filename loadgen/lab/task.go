package lab

import (
	"context"
	"strings"
	"time"

	"scalableappbackend/loadgen/timeline"
)

// task is one replica's life. Its fields are the scheduler's, below its lock, but for what never changes.
type task struct {
	id     string
	number int
	wait   time.Duration // before it is placed, when tasks before it could not start
	first  bool          // there before the load: nothing of its start is modelled

	life     timeline.Task
	replica  replica // nil until it runs
	target   *target // likewise
	draining bool
	stopped  bool
	healthy  bool
	failed   string // how the last health check did; empty when it passed
	replaced bool   // another was started in its place
	holds    bool   // a standby, which is not its replica yet
	over     bool   // nothing of its replica is left
	hasty    bool   // its end is no drain; set before leave ends
	retiring bool   // its replica ends beside it; of its own goroutine
	// condemned: its health checks fail, so it stops when another task is in its place.
	condemned bool

	usedAt   time.Time // when usage was last asked
	used     float64   // and what the replica said
	leave    context.Context
	goes     context.CancelFunc // ends leave, which asks the task to stop: in order, or at once when death has ended too
	death    context.Context
	dies     context.CancelFunc
	launched time.Time // when it listened
}

// Why tasks stop, in timeline.Task.Reason.
const (
	ReasonScaleIn = "scale-in"
	ReasonKilled  = "killed"
	ReasonStopped = "StopTask"
	ReasonSpot    = "Spot interruption"
	ReasonHealth  = "failed health checks"
	ReasonDied    = "died"
	ReasonNoStart = "did not start"
)

// What timeline.Event.Type says here.
const (
	EventChaos     = "chaos"                // something went wrong on purpose, or is over
	EventDraining  = timeline.EventDraining // a task begins its orderly end
	EventReplacing = "task-replacement"     // the scheduler starts a task for one that is gone: not scaling
	EventUnhealthy = "task-unhealthy"
	EventFailed    = "task-failed"   // a replica ended by itself or could not be started
	EventForced    = "task-forced"   // one that was asked to end did not, and was killed
	EventCapacity  = "task-capacity" // what one task was measured to be able to do
	EventLate      = "task-late"     // no standby was ready, so that a program's start passed in real time
	EventIdle      = "keep-alive"    // a target closes idle connections before the balancer does
)

// why is why it is gone or going, in short.
func (t *task) why() string {
	switch {
	case t.condemned:
		return ReasonHealth
	case strings.HasPrefix(t.life.Reason, ReasonDied):
		return ReasonDied
	}
	return t.life.Reason
}

// counted says whether the service counts on the task: it is there, or on its way, and stays.
func (t *task) counted() bool { return !t.stopped && !t.draining && !t.condemned }

// runs says whether it is running and not draining.
func (t *task) runs() bool { return t.replica != nil && !t.draining && !t.stopped }
