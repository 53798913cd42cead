package simulate

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/plan"
)

// Event is something that happens to the service at a time after the load began.
type Event struct {
	At   time.Duration
	Kind EventKind
	N    int // the new bound, or the tasks that are rebalanced; not used by a deployment
}

// EventKind is what happens.
type EventKind string

const (
	// SetMin and SetMax change a bound, as a scheduled action does.
	SetMin EventKind = "min"
	SetMax EventKind = "max"
	// Deploy replaces every task: a new one for each is started (maximumPercent 200), and the old one drains when the new
	// one is healthy (minimumHealthyPercent 100). Until all old ones are gone there is no scale-in.
	Deploy EventKind = "deploy"
	// Rebalance replaces N tasks in the same way, for balance between zones. It is no deployment, so scaling goes on.
	Rebalance EventKind = "rebalance"
)

const wantEvent = "TIME:min=N, TIME:max=N, TIME:deploy or TIME:rebalance=N, e.g. 10m:max=12"

// MaxEvents is the most events of one simulation.
const MaxEvents = 1000

// ParseEvent reads what [Event.String] writes. Its error is a *input.Error.
func ParseEvent(text string) (Event, error) {
	refused := &input.Error{Got: text, Want: wantEvent}
	if strings.TrimSpace(text) == "" {
		return Event{}, &input.Error{Want: "empty, want " + wantEvent}
	}
	at, what, ok := strings.Cut(text, ":")
	t, err := plan.ParseDuration(at)
	if !ok || err != nil {
		return Event{}, refused
	}
	kind, number, hasNumber := strings.Cut(what, "=")
	e := Event{At: time.Duration(t), Kind: EventKind(strings.TrimSpace(kind)), N: 1}
	if hasNumber {
		if e.N, err = strconv.Atoi(strings.TrimSpace(number)); err != nil || e.N < 0 || e.N > autoscaling.MaxTasks {
			return Event{}, refused
		}
	}
	switch e.Kind {
	case SetMin, SetMax:
		ok = hasNumber
	case Deploy:
		ok, e.N = !hasNumber, 0
	case Rebalance:
		ok = e.N > 0
	default:
		ok = false
	}
	if !ok {
		return Event{}, refused
	}
	return e, nil
}

// String is the form that ParseEvent reads.
func (e Event) String() string {
	s := plan.Duration(e.At).String() + ":" + string(e.Kind)
	if e.Kind != Deploy {
		s += "=" + strconv.Itoa(e.N)
	}
	return s
}

// inOrder are the events by time; of several at one instant the order stays.
func inOrder(events []Event) []Event {
	return slices.SortedStableFunc(slices.Values(events), func(a, b Event) int { return cmp.Compare(a.At, b.At) })
}

// checkEvents refuses what cannot happen, one after the other.
func (c Config) checkEvents() error {
	if len(c.Events) > MaxEvents {
		return refuse("events", "%d, want at most %d", len(c.Events), MaxEvents)
	}
	low, high := c.Min, c.Max
	for _, e := range inOrder(c.Events) {
		switch e.Kind {
		case SetMin:
			low = e.N
		case SetMax:
			high = e.N
		}
		switch {
		case e.At < 0 || e.At > MaxLoadTime:
			return refuse("events", "%s, want a time from 0s to %s", e, plan.Duration(MaxLoadTime))
		case low > high || high < 1:
			return refuse("events", "%s leaves bounds of %d to %d, want a minimum not above the maximum, and a maximum of at least 1", e, low, high)
		}
	}
	return nil
}
