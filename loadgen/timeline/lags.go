package timeline

import "time"

// lags follows the first scale-out from the load to the first response, and the first scale-in after it.
func (t *Timeline) lags() (l Lags) {
	alarm, ok := t.alarmed()
	l.Alarm = t.since(t.LoadFrom, alarm, ok)
	if out, ok := t.decision(t.LoadFrom, change.out); ok {
		l.Decision = t.since(t.LoadFrom, out.at, true)
		running, ok := t.first(out.at, func(p Point) bool { return p.Running > out.from })
		l.Running = t.since(t.LoadFrom, running, ok)
		healthy, ok := t.first(out.at, func(p Point) bool { return p.Healthy > out.from })
		l.Healthy = t.since(t.LoadFrom, healthy, ok)
		response, ok := t.firstResponse(out.at)
		l.FirstResponse = t.since(t.LoadFrom, response, ok)
	}
	if in, ok := t.decision(t.LoadTo, func(c change) bool { return !c.out() }); ok {
		l.ScaleIn = t.since(t.LoadTo, in.at, true)
		drained, ok := t.first(in.at, func(p Point) bool { return p.Running <= in.to && p.Draining == 0 })
		l.Drain = t.since(in.at, drained, ok)
	}
	return l
}

// alarmed is the first instant under load or later at which some AlarmHigh is in ALARM, from before or anew.
func (t *Timeline) alarmed() (at time.Duration, ok bool) {
	before := map[string]bool{}
	for _, a := range t.Alarms {
		switch {
		case !a.High:
		case a.At <= t.LoadFrom:
			before[a.Alarm] = a.State == Alarm
		case a.State == Alarm && !ok:
			at, ok = a.At, true
		}
	}
	for _, on := range before {
		if on {
			return t.LoadFrom, true
		}
	}
	return at, ok
}

// decision is the first change of desired capacity of a kind, at from or later: as the activities say, or without any
// as desired itself.
func (t *Timeline) decision(from time.Duration, wanted func(change) bool) (change, bool) {
	for _, a := range t.Activities {
		c := change{a.At, a.From, a.To}
		if a.At >= from && a.Status != NotScaled && a.Status != Failed && c.from != c.to && wanted(c) {
			return c, true
		}
	}
	if len(t.Activities) > 0 {
		return change{}, false
	}
	for _, c := range t.changes() {
		if c.at >= from && wanted(c) {
			return c, true
		}
	}
	return change{}, false
}

// firstResponse is the first one from a task that was requested at from or later, and not for one that is gone.
func (t *Timeline) firstResponse(from time.Duration) (at time.Duration, ok bool) {
	for _, k := range t.Tasks {
		if k.Requested >= from && k.Replaces == "" && k.FirstSent >= 0 && (!ok || k.FirstSent < at) {
			at, ok = k.FirstSent, true
		}
	}
	return at, ok
}
