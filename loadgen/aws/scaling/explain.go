package scaling

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/loadgen/timeline"
)

// grace is how long after an alarm's change, or after a cooldown, an activity may take to be told of. Recorded on AWS: 0.2 s
// until it starts (radkawar/stackd, scale_in.json).
const grace = time.Minute

// explain tells of each time in which an alarm was in ALARM and no activity followed, and why that was.
func (d *derived) explain(acts []activity, desired []step) {
	if _, ok := d.w.watched["activities"]; !ok {
		return // nobody knows whether there was one
	}
	for _, name := range sortedKeys(d.w.alarms) {
		a := d.w.alarms[name]
		all := d.inOrder(&a)
		for i, c := range all {
			if c.state != timeline.Alarm || i > 0 && all[i-1].state == timeline.Alarm {
				continue
			}
			end := d.now
			for _, next := range all[i+1:] {
				if next.state != timeline.Alarm {
					end = next.at
					break
				}
			}
			d.gaps(&a, c.at, end, acts, desired)
		}
	}
}

// gaps looks for the times without an activity while an alarm was in ALARM.
func (d *derived) gaps(a *alarm, from, end time.Time, acts []activity, desired []step) {
	p := d.w.policies[a.policy]
	since := from
	look := func(until time.Time) {
		at := since.Add(grace)
		if since.Before(d.origin) {
			at = d.origin.Add(grace)
		}
		if at.After(until) || at.After(d.now) || since.Before(from) {
			return
		}
		cause := d.cause(a, &p, at, acts, desired)
		d.event("no activity "+a.name+" "+strconv.FormatInt(since.UnixNano(), 10), at, EventUnexplained,
			fmt.Sprintf("%s is in ALARM and no activity followed: %s", a.title(), cause))
	}
	for _, act := range acts {
		if act.start.Before(from.Add(-5*time.Second)) || act.start.After(end) || !act.of(a) {
			continue
		}
		if act.start.After(since) {
			look(act.start)
		}
		switch {
		case len(act.reasons) > 0:
			since = act.start
		case act.end.IsZero():
			since = end // under way
		default:
			since = act.end.Add(p.cooldown(a.high))
		}
	}
	if since.Before(end) {
		look(end)
	}
}

// of says whether an activity came of an alarm. A scale-out by another policy answers a high alarm too: the largest capacity wins, and
// AWS tells one activity.
func (x *activity) of(a *alarm) bool {
	switch {
	case x.alarm == a.name:
		return true
	case x.policy == "" || len(x.reasons) > 0:
		return x.policy == a.policy && x.alarm == ""
	}
	return strings.Contains(x.alarm, "AlarmHigh") && a.high || strings.Contains(x.alarm, "AlarmLow") && !a.high
}

func (p *policy) cooldown(high bool) time.Duration {
	if high {
		return p.out
	}
	return p.in
}

// cause is why an alarm in ALARM led to nothing at an instant. The first that applies is told: what keeps an action from being
// tried at all comes before what it would have met.
func (d *derived) cause(a *alarm, p *policy, at time.Time, acts []activity, desired []step) string {
	way := "out"
	if !a.high {
		way = "in"
	}
	if rule := d.mutedAt(a.name, at); rule != "" {
		return "its actions are muted by the rule " + rule
	}
	if !a.actions {
		return "its actions are disabled"
	}
	l := d.limitsAt(at)
	if l != nil && (a.high && l.out || !a.high && l.in) {
		return "scale-" + way + " is suspended on the scalable target"
	}
	if !a.high && p.noIn {
		return "scale-in is disabled in the policy " + p.name
	}
	n, known := valueAt(desired, at)
	if x := d.carried(at, acts); x != nil && x.fits(a.high) {
		told := x.start.Sub(d.origin).Round(time.Second)
		when := "before the start"
		if told >= 0 {
			when = "at " + told.String()
		}
		return fmt.Sprintf("%s, told %s and not again: AWS tells a reason once", strings.Join(x.reasons, ", "), when)
	}
	switch {
	case l == nil || !known:
	case a.high && n >= l.high:
		return fmt.Sprintf("%d tasks are desired, which is the max capacity", n)
	case !a.high && n <= l.low:
		return fmt.Sprintf("%d tasks are desired, which is the min capacity", n)
	}
	if dep := d.deployingAt(at); dep != "" && !a.high {
		return "the deployment " + dep + " is under way, and there is no scale-in until it is over"
	}
	if !a.high {
		if why := d.vetoed(a, at); why != "" {
			return why
		}
	}
	for _, x := range slices.Backward(acts) {
		if x.start.After(at) || x.to < 0 || len(x.reasons) > 0 {
			continue
		}
		if x.end.IsZero() || x.end.After(at) {
			return "the activity that set " + strconv.Itoa(x.to) + " tasks is not over"
		}
		other := d.w.policies[x.policy]
		if until := x.end.Add(max(p.cooldown(a.high), other.cooldown(a.high))); until.After(at) {
			return "the cooldown of the activity that set " + strconv.Itoa(x.to) + " tasks is not over"
		}
		break
	}
	return "nothing that the APIs tell explains it"
}

// mutedAt is the rule that mutes an alarm at an instant, as far as was seen.
func (d *derived) mutedAt(alarm string, at time.Time) string {
	const looks = 35 * time.Second // between two
	for _, m := range d.w.mutes {
		if m.alarm == alarm && !at.Before(m.from.Add(-looks)) && !at.After(m.to.Add(looks)) {
			return m.rule
		}
	}
	return ""
}

func (d *derived) limitsAt(at time.Time) *limits {
	all := d.w.limits
	for i := range slices.Backward(all) {
		if i == 0 || !at.Before(all[i].at) {
			return &all[i]
		}
	}
	return nil
}

// carried is the last activity before an instant that did not scale, where none has scaled since.
func (d *derived) carried(at time.Time, acts []activity) *activity {
	for i := range slices.Backward(acts) {
		x := &acts[i]
		switch {
		case x.start.After(at):
		case len(x.reasons) > 0:
			return x
		case x.to >= 0:
			return nil
		}
	}
	return nil
}

// fits says whether a reason for not scaling is one of this direction.
func (x *activity) fits(high bool) bool {
	for _, r := range x.reasons {
		if r == reasonAtMin && high || r == reasonAtMax && !high {
			return false
		}
	}
	return true
}

func (d *derived) deployingAt(at time.Time) string {
	for _, id := range sortedKeys(d.w.deployments) {
		if x := d.w.deployments[id]; !x.created.IsZero() && !x.created.After(at) && (x.done.IsZero() || x.done.After(at)) && x.seenBegin {
			return id
		}
	}
	return ""
}

// vetoed says which other policy keeps a scale-in: all that may scale in have to ask for it, and one without data does not.
func (d *derived) vetoed(low *alarm, at time.Time) string {
	for _, name := range sortedKeys(d.w.alarms) {
		o := d.w.alarms[name]
		p, known := d.w.policies[o.policy]
		if o.high || !known || p.noIn || p.step || o.policy == low.policy {
			continue
		}
		state := timeline.InsufficientData
		for _, c := range d.inOrder(&o) {
			if !c.at.After(at) {
				state = c.state
			}
		}
		switch state {
		case timeline.InsufficientData:
			return "the policy " + o.policy + " has no data, and a scale-in needs all policies"
		case timeline.OK:
			return "the policy " + o.policy + " does not ask for less: " + o.title() + " is not in ALARM, and a scale-in needs all policies"
		}
	}
	return ""
}
