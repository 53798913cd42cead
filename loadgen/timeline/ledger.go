package timeline

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Ledger is what facts add up to. Which facts were told decides what it holds, and nothing else: in any order, and however
// often each is told again, the [Timeline] is the same. It does no locking.
type Ledger struct {
	facts   map[factKey]Fact
	known   time.Duration // the latest instant at which something was known
	refused []error       // of facts that cannot be, a few
	left    int           // how many those are
}

type factKey struct{ kind, id string }

// Tell takes facts and returns those that say something new: a fact, or a state of one, that was not told before and is not
// superseded by one that was. What cannot be a fact is left out, and told by Warnings.
func (l *Ledger) Tell(facts ...Fact) (news []Fact) {
	if l.facts == nil {
		l.facts = map[factKey]Fact{}
	}
	for _, f := range facts {
		if err := f.Validate(); err != nil {
			const few = 3
			if l.left++; len(l.refused) < few {
				l.refused = append(l.refused, err)
			}
			continue
		}
		l.Seen(f.Known)
		key := factKey{f.Kind(), f.ID}
		held, known := l.facts[key]
		if known && !f.supersedes(&held) {
			continue
		}
		l.facts[key] = f
		if !known || !f.same(&held) {
			news = append(news, f)
		}
	}
	return news
}

// Seen says that nothing else was known until an instant.
func (l *Ledger) Seen(at time.Duration) { l.known = max(l.known, at) }

// Known is the latest instant at which something was known.
func (l *Ledger) Known() time.Duration { return l.known }

// Service is what was told of the service; nil when nothing was.
func (l *Ledger) Service() *Service {
	if f, ok := l.facts[factKey{kindService, ""}]; ok {
		return f.Service
	}
	return nil
}

// Facts are those that hold, in the order in which they were known.
func (l *Ledger) Facts() []Fact {
	facts := slices.Collect(maps.Values(l.facts))
	slices.SortFunc(facts, func(a, b Fact) int {
		return cmp.Or(cmp.Compare(a.Known, b.Known), cmp.Compare(a.Kind(), b.Kind()), cmp.Compare(len(a.ID), len(b.ID)), strings.Compare(a.ID, b.ID))
	})
	return facts
}

// Warnings are about facts that cannot be, and were left out.
func (l *Ledger) Warnings() (all []string) {
	for _, err := range l.refused {
		all = append(all, "capacity: what was told cannot be, and is left out: "+err.Error())
	}
	if more := l.left - len(l.refused); more > 0 {
		all = append(all, "capacity: what was told cannot be, and is left out: "+strconv.Itoa(more)+" more")
	}
	return all
}

// Timeline is what was told until end. It is the caller's. What lies after end is not in it, whichever instant of a task's or of
// an activity's life that is, nor is load. Before the first point capacity was that of the first one. It is nil when nobody
// told of capacity.
func (l *Ledger) Timeline(end time.Duration) *Timeline {
	service := l.Service()
	if service == nil {
		return nil
	}
	t := &Timeline{
		Service: service.Name, Speedup: service.Speedup, Min: service.Min, Max: service.Max, PerTask: service.PerTask,
		Settings: service.Settings, End: max(end, 0),
	}
	t.LoadTo = t.End
	if f, ok := l.facts[factKey{kindLoad, ""}]; ok {
		t.LoadFrom = min(f.Load.From, t.End)
		if f.Load.Ended {
			t.LoadTo = min(f.Load.To, t.End)
		}
	}
	t.LoadTo = max(t.LoadTo, t.LoadFrom)
	if f, ok := l.facts[factKey{kindAnswers, ""}]; ok {
		t.Answers = f.Answers
	}
	t.Bounds = lastOfInstant(listed(l, kindBounds, t.End, func(f *Fact) BoundsChange { return *f.Bounds }), func(b BoundsChange) time.Duration { return b.At })
	t.Metrics = listed(l, kindDatum, t.End, func(f *Fact) Datum { return *f.Datum })
	t.Alarms = changes(listed(l, kindAlarm, t.End, func(f *Fact) AlarmChange { return *f.Alarm }))
	t.Unseen = orNone(listed(l, kindUnseen, t.End, func(f *Fact) Unseen {
		u := *f.Unseen
		u.To = min(u.To, t.End)
		return u
	}))
	t.Events = listed(l, kindEvent, t.End, func(f *Fact) Event { return *f.Event })
	t.Activities = listed(l, kindActivity, t.End, func(f *Fact) Activity {
		a := f.Activity.kept()
		if a.Completed > t.End {
			a.Completed = 0
		}
		return a
	})
	t.Tasks = listed(l, kindTask, t.End, func(f *Fact) Task {
		k := *f.Task
		for _, at := range k.instants() {
			if *at < 0 || *at > t.End {
				*at = Never
			}
		}
		return k
	})
	points := lastOfInstant(listed(l, kindPoint, t.End, func(f *Fact) Point { return *f.Point }), func(p Point) time.Duration { return p.At })
	t.Points = slices.CompactFunc(points, Point.sameCapacity)
	if len(t.Points) > 0 {
		t.Points[0].At = min(t.Points[0].At, t.LoadFrom)
	}
	return t
}

// listed are the facts of a kind until end: in order of time, and where instants agree in the order of their IDs, in which "9" comes
// before "10".
func listed[T any](l *Ledger, kind string, end time.Duration, of func(*Fact) T) []T {
	var facts []Fact
	for key, f := range l.facts {
		if key.kind == kind && !f.Gone && f.At() <= end {
			facts = append(facts, f)
		}
	}
	slices.SortFunc(facts, func(a, b Fact) int {
		return cmp.Or(cmp.Compare(a.At(), b.At()), cmp.Compare(len(a.ID), len(b.ID)), strings.Compare(a.ID, b.ID))
	})
	list := make([]T, 0, len(facts))
	for i := range facts {
		list = append(list, of(&facts[i]))
	}
	return list
}

// orNone is a list that is mostly empty, and nil then.
func orNone[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

// lastOfInstant keeps the last of those that have an instant.
func lastOfInstant[T any](list []T, at func(T) time.Duration) []T {
	kept := list[:0]
	for i, x := range list {
		if i+1 == len(list) || at(list[i+1]) != at(x) {
			kept = append(kept, x)
		}
	}
	return kept
}

// changes leaves out what an alarm's state was already.
func changes(alarms []AlarmChange) []AlarmChange {
	state := map[string]AlarmState{}
	return slices.DeleteFunc(alarms, func(a AlarmChange) bool {
		same := state[a.Alarm] == a.State
		state[a.Alarm] = a.State
		return same
	})
}
