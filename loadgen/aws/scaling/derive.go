package scaling

import (
	"cmp"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/loadgen/timeline"
)

// derived are the facts that follow from a world on a run's clock.
type derived struct {
	w      *world
	origin time.Time
	now    time.Time
	facts  []timeline.Fact
}

// derive makes facts of what is known. It depends on its arguments alone: what was told before, and in which order the answers
// came, has no part in it.
func derive(w *world, origin, now time.Time, perTask float64) *derived {
	d := &derived{w: w, origin: origin, now: now}
	if w.firstPoll.IsZero() {
		return d
	}
	desired := d.desired()
	d.service(desired, perTask)
	d.limits()
	d.points(desired)
	d.metrics()
	d.alarms()
	acts := d.activities(desired)
	d.apart(desired)
	d.tasks()
	d.explain(acts, desired)
	d.unseen(desired)
	return d
}

// same says whether two facts tell the same, whenever that was known.
func same(f, g *timeline.Fact) bool {
	a, b := *f, *g
	a.Known, b.Known, a.Gone, b.Gone = 0, 0, false, false
	return reflect.DeepEqual(a, b)
}

// at is an instant on the run's clock; what was before it began is 0.
func (d *derived) at(t time.Time) time.Duration {
	return min(max(t.Sub(d.origin), 0), timeline.MaxTime)
}

// orNever is an instant that may not have come.
func (d *derived) orNever(t time.Time) time.Duration {
	if t.IsZero() {
		return timeline.Never
	}
	return d.at(t)
}

// before says whether an instant is from before the clock began.
func (d *derived) before(t time.Time) bool { return t.Before(d.origin) }

func (d *derived) tell(f timeline.Fact) { d.facts = append(d.facts, f) }

func (d *derived) event(id string, at time.Time, kind, detail string) {
	d.tell(timeline.Fact{ID: id, Event: &timeline.Event{At: d.at(at), Type: kind, Detail: detail}})
}

// step is a count from an instant on.
type step struct {
	at time.Time
	n  int
	by string // of the desired count: the activity that set it; empty when none did
	of int    // the count before; -1: not known
}

// valueAt is the count at an instant; before the first step it is that from which the first one came, as far as that is known.
func valueAt(steps []step, t time.Time) (n int, ok bool) {
	for _, s := range slices.Backward(steps) {
		if !s.at.After(t) {
			return s.n, true
		}
	}
	if len(steps) == 0 {
		return 0, false
	}
	if steps[0].of >= 0 {
		return steps[0].of, true
	}
	return steps[0].n, false
}

// explained is how long after an activity begins, or before that by two clocks, ECS may tell of its desired count.
const explained = 10 * time.Second

// desired is the desired count over time. Activities say when they set it; what ECS told at a look says when it was set otherwise,
// and what followed. Before the first look there are activities alone.
func (d *derived) desired() (steps []step) {
	w := d.w
	var first time.Time // of the looks
	if len(w.counts) > 0 {
		first = w.counts[0].at
	}
	acts := d.scaled()
	for _, a := range acts {
		if first.IsZero() || a.start.Before(first) {
			steps = append(steps, step{at: a.start, n: a.to, by: a.id, of: -1})
		}
	}
	if n := len(steps); len(w.counts) > 0 && (n == 0 || steps[n-1].n != w.counts[0].desired) {
		at := first
		if n == 0 { // it was so before the first look, and nothing says since when
			at = time.Time{}
		}
		steps = append(steps, step{at: at, n: w.counts[0].desired, of: -1})
	}
	for i, c := range w.counts {
		if i == 0 || c.desired == w.counts[i-1].desired {
			continue
		}
		s := step{at: c.at, n: c.desired}
		for _, a := range acts {
			if a.to == c.desired && a.start.After(c.before.Add(-explained)) && !a.start.After(c.at.Add(time.Second)) {
				s.at, s.by = a.start, a.id
			}
		}
		if n := len(steps); n > 0 && s.at.Before(steps[n-1].at) {
			s.at = steps[n-1].at
		}
		steps = append(steps, s)
	}
	for i := 1; i < len(steps); i++ {
		steps[i].of = steps[i-1].n
	}
	// From where the first activity came nobody tells; as many as ran then, where that is known.
	if len(steps) > 0 && !steps[0].at.IsZero() && d.seenTasks() && steps[0].at.After(w.watched["tasks"].from.Add(-keptTasks)) {
		running, _ := d.fromTasks()
		if n, ok := valueAt(running, steps[0].at); ok {
			steps[0].of = n
		}
	}
	return steps
}

// scaled are the activities that set a desired count, in order of time.
func (d *derived) scaled() (all []activity) {
	for _, a := range d.w.acts {
		if a.to >= 0 && len(a.reasons) == 0 && a.status != timeline.Failed {
			all = append(all, a)
		}
	}
	return byStart(all)
}

func byStart(all []activity) []activity {
	slices.SortFunc(all, func(a, b activity) int { return cmp.Or(a.start.Compare(b.start), strings.Compare(a.id, b.id)) })
	return all
}

// service is whose facts they are. Without a look at its bounds they are those of what was seen.
func (d *derived) service(desired []step, perTask float64) {
	w := d.w
	s := timeline.Service{Name: w.arn, Speedup: 1, PerTask: perTask, Settings: w.settings()}
	if l := d.limitsBefore(); l != nil {
		s.Min, s.Max = l.low, l.high
	} else {
		for i, x := range desired {
			if i == 0 {
				s.Min = x.n
			}
			s.Min, s.Max = min(s.Min, x.n), max(s.Max, x.n)
		}
	}
	d.tell(timeline.Fact{Service: &s})
}

// limitsBefore are the bounds when the clock began, or the first ones that were seen.
func (d *derived) limitsBefore() *limits {
	all := d.w.limits
	for i := range slices.Backward(all) {
		if !d.origin.Before(all[i].at) {
			return &all[i]
		}
	}
	if len(all) > 0 {
		return &all[0]
	}
	return nil
}

// limits are later changes of the bounds, and of what is suspended.
func (d *derived) limits() {
	for i, l := range d.w.limits {
		id := strconv.FormatInt(l.at.UnixNano(), 10)
		if i > 0 && !d.before(l.at) {
			if last := d.w.limits[i-1]; last.low != l.low || last.high != l.high {
				d.tell(timeline.Fact{ID: id, Bounds: &timeline.BoundsChange{At: d.at(l.at), Min: l.low, Max: l.high}})
			}
		}
		var off []string
		for _, x := range []struct {
			on   bool
			what string
		}{{l.out, "scale-out"}, {l.in, "scale-in"}, {l.planned, "scheduled scaling"}} {
			if x.on {
				off = append(off, x.what)
			}
		}
		lasts := i+1 == len(d.w.limits) || !d.before(d.w.limits[i+1].at)
		if len(off) > 0 && lasts {
			d.event("suspended "+id, l.at, EventSuspended, strings.Join(off, " and ")+" is suspended on the scalable target")
		}
	}
}

// metrics are datapoints by the ends of their periods.
func (d *derived) metrics() {
	for at, value := range d.w.data {
		end := time.Unix(0, at.at)
		if d.before(end) || end.After(d.now) {
			continue
		}
		d.tell(timeline.Fact{ID: at.policy + " " + strconv.FormatInt(at.at, 10), Datum: &timeline.Datum{At: d.at(end), Policy: at.policy, Value: value}})
	}
}

// inOrder are the changes of an alarm in order of time, the state in which it was first met before them.
func (d *derived) inOrder(a *alarm) (all []alarmChange) {
	for at, c := range d.w.changes {
		if at.name == a.name {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, func(a, b alarmChange) int {
		return cmp.Or(a.at.Compare(b.at), strings.Compare(string(a.state), string(b.state)))
	})
	if !a.since.IsZero() && (len(all) == 0 || a.since.Before(all[0].at)) {
		all = slices.Insert(all, 0, alarmChange{at: a.since, state: a.state, reason: a.reason})
	}
	return all
}

func (d *derived) alarms() {
	for _, name := range sortedKeys(d.w.alarms) {
		a := d.w.alarms[name]
		all := d.inOrder(&a)
		for i, c := range all {
			if d.before(c.at) && i+1 < len(all) && d.before(all[i+1].at) {
				continue // another one held when the clock began
			}
			d.tell(timeline.Fact{ID: name + " " + strconv.FormatInt(c.at.UnixNano(), 10), Alarm: &timeline.AlarmChange{
				At: d.at(c.at), Alarm: a.title(), Policy: a.policy, High: a.high, State: c.state, Reason: c.reason,
			}})
		}
	}
}

// title is a short name of an alarm: what target tracking makes has a long one, with a random end.
func (a *alarm) title() string {
	if !strings.HasPrefix(a.name, "TargetTracking-") {
		return a.name
	}
	if a.high {
		return a.policy + "-AlarmHigh"
	}
	return a.policy + "-AlarmLow"
}

// activities tells those that were under way when the clock began, or came later, and returns all of them by start.
func (d *derived) activities(desired []step) []activity {
	all := make([]activity, 0, len(d.w.acts))
	for _, a := range d.w.acts {
		all = append(all, a)
	}
	byStart(all)
	for _, a := range all {
		// One that did not come about is of its instant; one that did lasts until its end.
		if d.before(a.start) && (len(a.reasons) > 0 || a.status == timeline.Failed || !a.end.IsZero() && d.before(a.end)) {
			continue
		}
		x := timeline.Activity{At: d.at(a.start), Policy: a.policy, Status: a.status, Description: a.description, Cause: a.cause, StatusMessage: a.message, NotScaledReasons: a.reasons}
		from, known := valueAt(desired, a.start.Add(-time.Nanosecond))
		if len(a.reasons) > 0 {
			x.Status = timeline.NotScaled
			switch {
			case a.current >= 0:
				from = a.current
			case slices.Contains(a.reasons, reasonAtMax) && a.high >= 0:
				from = a.high
			case slices.Contains(a.reasons, reasonAtMin) && a.low >= 0:
				from = a.low
			}
			x.From, x.To = from, from
		} else {
			x.From, x.To = from, max(a.to, 0)
			if a.to < 0 { // it set nothing that it told of
				x.To = from
			}
			if !known {
				x.From = x.To
			}
			if !a.end.IsZero() {
				x.Completed = max(d.at(a.end), 1)
			}
		}
		d.tell(timeline.Fact{ID: a.id, Activity: &x})
	}
	return all
}

// AWS's codes.
const (
	reasonAtMax = "AlreadyAtMaxCapacity"
	reasonAtMin = "AlreadyAtMinCapacity"
)
