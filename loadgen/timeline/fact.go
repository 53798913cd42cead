package timeline

import (
	"bytes"
	"cmp"
	"reflect"
	"time"
)

// Fact is one thing that a source of capacity tells: a point, a datapoint, an alarm's change, an activity, a task, an event.
// It has an identity, by which it can be told again: the state that its source knew last holds. So facts may come late, more
// than once and in any order, and add up to the same [Timeline]: see [Ledger].
//
// Exactly one of the pointers is set, and what it points to is not changed once the fact was told. All instants are on the run's clock.
type Fact struct {
	// ID tells a fact from others of its kind: a task's or an activity's own ID, else what its source chooses. There is one
	// Service, one Span of load and one set of Answers, whose ID is empty.
	ID string
	// Known is when its source knew it in this state: later for each later state. It says which of two states holds,
	// not when something happened.
	Known time.Duration
	// Gone says that it was not so after all: what was told under this identity before is taken back. A source that concludes
	// from what has not come yet ("there was no activity") may have to.
	Gone bool

	Service  *Service
	Load     *Loaded
	Bounds   *BoundsChange
	Point    *Point
	Datum    *Datum
	Alarm    *AlarmChange
	Activity *Activity
	Task     *Task
	Event    *Event
	Answers  *Answers
	Unseen   *Unseen
}

// Service is whose capacity it is, and what is known of it beforehand.
type Service struct {
	// Name is the identity of the service: two timelines of one name are of one service. A lab has a new one each time, a service
	// on AWS has its ARN.
	Name     string            `json:"name,omitempty"`
	Speedup  float64           `json:"speedup"`
	Min      int               `json:"min"`
	Max      int               `json:"max"`
	PerTask  float64           `json:"task_capacity,omitempty"` // requests/s on the run's clock that a task can do; 0: not known
	Settings map[string]string `json:"settings,omitempty"`      // see Timeline.Settings
}

// Loaded is when load began, and ended if it has.
type Loaded struct {
	From, To time.Duration
	Ended    bool
}

// The kinds of facts, as JSON names them.
const (
	kindService  = "service"
	kindLoad     = "load"
	kindBounds   = "bounds"
	kindPoint    = "point"
	kindDatum    = "metric"
	kindAlarm    = "alarm"
	kindActivity = "activity"
	kindTask     = "task"
	kindEvent    = "event"
	kindAnswers  = "answers"
	kindUnseen   = "unseen"
)

// Kind is which of the pointers is set, in the word that JSON has for it; empty when none is.
func (f *Fact) Kind() string {
	switch {
	case f.Service != nil:
		return kindService
	case f.Load != nil:
		return kindLoad
	case f.Bounds != nil:
		return kindBounds
	case f.Point != nil:
		return kindPoint
	case f.Datum != nil:
		return kindDatum
	case f.Alarm != nil:
		return kindAlarm
	case f.Activity != nil:
		return kindActivity
	case f.Task != nil:
		return kindTask
	case f.Event != nil:
		return kindEvent
	case f.Answers != nil:
		return kindAnswers
	case f.Unseen != nil:
		return kindUnseen
	}
	return ""
}

// At is the instant that a fact is about: of a task when it was requested. It is 0 for what is about none.
func (f *Fact) At() time.Duration {
	switch {
	case f.Bounds != nil:
		return f.Bounds.At
	case f.Point != nil:
		return f.Point.At
	case f.Datum != nil:
		return f.Datum.At
	case f.Alarm != nil:
		return f.Alarm.At
	case f.Activity != nil:
		return f.Activity.At
	case f.Task != nil:
		return f.Task.Requested
	case f.Event != nil:
		return f.Event.At
	case f.Unseen != nil:
		return f.Unseen.From
	}
	return 0
}

// Validate says whether a fact can be one. Its error is a *input.Error.
func (f *Fact) Validate() error {
	const end = MaxTime
	if err := within("known_s", f.Known, 0, end); err != nil {
		return err
	}
	if err := within("t_s", f.At(), 0, end); err != nil {
		return err
	}
	switch {
	case f.Service != nil:
		s := f.Service
		if !(s.Speedup >= 1 && s.Speedup <= MaxSpeedup) {
			return wrong("service.speedup", number(s.Speedup), "1 to "+number(MaxSpeedup))
		}
		if !(s.PerTask >= 0 && s.PerTask <= 1e12) {
			return wrong("service.task_capacity", number(s.PerTask), "0 to 1e12")
		}
		return bounds("service.", s.Min, s.Max)
	case f.Load != nil:
		return cmp.Or(within("load.to_s", f.Load.To, 0, end), within("load.from_s", f.Load.From, 0, end))
	case f.Bounds != nil:
		return f.Bounds.validate("bounds.")
	case f.Point != nil:
		return f.Point.validate("point.")
	case f.Datum != nil:
		return f.Datum.validate("metric.")
	case f.Alarm != nil:
		return f.Alarm.validate("alarm.")
	case f.Activity != nil:
		return f.Activity.validate("activity.", end)
	case f.Task != nil:
		if err := validID("task.id", f.Task.ID); err != nil {
			return err
		}
		return f.Task.validate("task.", end)
	case f.Event != nil:
		return f.Event.validate("event.")
	case f.Answers != nil:
		return nil
	case f.Unseen != nil:
		return f.Unseen.validate("unseen.", end)
	}
	return wrong("kind", "", "one of service, load, bounds, point, metric, alarm, activity, task, event, answers, unseen")
}

// same says whether two facts tell the same.
func (f *Fact) same(g *Fact) bool {
	a, b := *f, *g
	a.Known, b.Known = 0, 0
	return reflect.DeepEqual(a, b)
}

// supersedes says whether f holds where both were told: the one that was known later, and of two that were known at one
// instant always the same one, whichever was told first.
func (f *Fact) supersedes(g *Fact) bool {
	if f.Known != g.Known {
		return f.Known > g.Known
	}
	a, _ := f.MarshalJSON()
	b, _ := g.MarshalJSON()
	return bytes.Compare(a, b) > 0
}

// Shift is the fact on a clock that read 0 earlier by d.
func (f Fact) Shift(d time.Duration) Fact {
	later := func(at *time.Duration) {
		if *at >= 0 {
			*at += d
		}
	}
	later(&f.Known)
	switch {
	case f.Load != nil:
		x := *f.Load
		later(&x.From)
		later(&x.To)
		f.Load = &x
	case f.Bounds != nil:
		x := *f.Bounds
		later(&x.At)
		f.Bounds = &x
	case f.Point != nil:
		x := *f.Point
		later(&x.At)
		f.Point = &x
	case f.Datum != nil:
		x := *f.Datum
		later(&x.At)
		f.Datum = &x
	case f.Alarm != nil:
		x := *f.Alarm
		later(&x.At)
		f.Alarm = &x
	case f.Activity != nil:
		x := *f.Activity
		later(&x.At)
		if x.Completed > 0 {
			x.Completed += d
		}
		f.Activity = &x
	case f.Task != nil:
		x := *f.Task
		for _, at := range x.instants() {
			later(at)
		}
		later(&x.Requested)
		f.Task = &x
	case f.Event != nil:
		x := *f.Event
		later(&x.At)
		f.Event = &x
	case f.Unseen != nil:
		x := *f.Unseen
		later(&x.From)
		later(&x.To)
		f.Unseen = &x
	}
	return f
}

// instants are those of a task's life after it was requested.
func (t *Task) instants() []*time.Duration {
	return []*time.Duration{&t.Running, &t.Healthy, &t.FirstSent, &t.Draining, &t.Stopped}
}
