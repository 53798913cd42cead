package timeline

import (
	"sort"
	"time"
)

// At is the capacity at an instant. Before the first Point it is that of the first one; without any it is zero.
func (t *Timeline) At(at time.Duration) Point {
	if len(t.Points) == 0 {
		return Point{}
	}
	return t.Points[t.index(at)]
}

// index is that of the point that holds at an instant.
func (t *Timeline) index(at time.Duration) int {
	after := sort.Search(len(t.Points), func(i int) bool { return t.Points[i].At > at })
	return max(after-1, 0)
}

// BoundsAt is the bounds on desired capacity at an instant.
func (t *Timeline) BoundsAt(at time.Duration) (low, high int) {
	low, high = t.Min, t.Max
	for _, b := range t.Bounds {
		if b.At > at {
			break
		}
		low, high = b.Min, b.Max
	}
	return low, high
}

// Between calls f for each stretch of [from, to) with the capacity in it. No stretch is empty.
func (t *Timeline) Between(from, to time.Duration, f func(from, to time.Duration, p Point)) {
	if len(t.Points) == 0 {
		return
	}
	for i := t.index(from); i < len(t.Points); i++ {
		start, end := from, to
		if i > 0 {
			start = max(start, t.Points[i].At)
		}
		if i+1 < len(t.Points) {
			end = min(end, t.Points[i+1].At)
		}
		if start >= to {
			return
		}
		if start < end {
			f(start, end, t.Points[i])
		}
	}
}

// visit calls f for each capacity from an instant to the end of the observation, End included: what it came to at the
// very end is seen, though it takes no time.
func (t *Timeline) visit(from time.Duration, f func(at time.Duration, p Point)) {
	t.Between(from, t.End, func(at, _ time.Duration, p Point) { f(at, p) })
	if n := len(t.Points); n > 0 && from <= t.End && (t.Points[n-1].At == t.End || from == t.End) {
		f(t.End, t.Points[n-1])
	}
}

// first is the first instant at or after from at which the capacity is as wanted.
func (t *Timeline) first(from time.Duration, wanted func(Point) bool) (at time.Duration, ok bool) {
	t.visit(from, func(start time.Duration, p Point) {
		if !ok && wanted(p) {
			at, ok = start, true
		}
	})
	return at, ok
}

// Settled is the first instant at or after from at which capacity is at rest: as many tasks running and healthy as
// are desired, and none draining. It is not ok when that did not come before the end of the observation.
func (t *Timeline) Settled(from time.Duration) (at time.Duration, ok bool) {
	return t.first(from, func(p Point) bool {
		return p.Running == p.Desired && p.Healthy == p.Desired && p.Draining == 0
	})
}

// Steady is the stretch from when the last change of desired capacity under load has settled ([Timeline.Settled])
// until the load ends; without a change, from when capacity is first settled under load. It is not ok when that
// did not come before the load ended. A task that dies or is replaced changes no desired capacity, and so
// is a disturbance of the steady state and not its end.
func (t *Timeline) Steady() (from, to time.Duration, ok bool) {
	change := t.LoadFrom
	for _, c := range t.changes() {
		if c.at < t.LoadTo {
			change = c.at
		}
	}
	from, ok = t.Settled(change)
	if !ok || from >= t.LoadTo {
		return 0, 0, false
	}
	return from, t.LoadTo, true
}

// change is one of desired capacity.
type change struct {
	at       time.Duration
	from, to int
}

func (c change) out() bool { return c.to > c.from }

// changes are those of desired capacity after LoadFrom.
func (t *Timeline) changes() (all []change) {
	last := t.At(t.LoadFrom).Desired
	t.visit(t.LoadFrom, func(at time.Duration, p Point) {
		if p.Desired != last {
			all = append(all, change{at, last, p.Desired})
			last = p.Desired
		}
	})
	return all
}
