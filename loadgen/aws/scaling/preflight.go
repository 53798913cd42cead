package scaling

import "fmt"

// preflight is what keeps the service from scaling by itself now, by what was read last: a line each. Nobody is told of it when it
// matters: a muted alarm changes its state, and nothing follows.
func (w *world) preflight() (all []string) {
	say := func(format string, args ...any) { all = append(all, "capacity: "+fmt.Sprintf(format, args...)) }
	if _, read := w.watched["policies"]; w.noTarget {
		say("no scalable target is registered for this service: nothing scales it")
	} else if read && len(w.policies) == 0 {
		say("the service has no scaling policy: nothing scales it")
	}
	if n := len(w.limits); n > 0 && !w.noTarget {
		l := w.limits[n-1]
		if l.out {
			say("scale-out is suspended on the scalable target")
		}
		if l.in {
			say("scale-in is suspended on the scalable target")
		}
		if c := len(w.counts); c > 0 && w.counts[c-1].desired >= l.high {
			say("%d tasks are desired, and the max capacity is %d: it cannot scale out", w.counts[c-1].desired, l.high)
		}
	}
	for _, name := range sortedKeys(w.alarms) {
		if rule := w.mutedBy(name); rule != "" {
			say("the actions of the alarm %s are muted by the rule %s: it scales nothing meanwhile", name, rule)
		} else if !w.alarms[name].actions {
			say("the actions of the alarm %s are disabled: it scales nothing", name)
		}
	}
	return all
}

// mutedBy is a rule that muted an alarm when rules were last read; empty: none did.
func (w *world) mutedBy(alarm string) string {
	for _, m := range w.mutes {
		if m.alarm == alarm && m.to.Equal(w.watched["mutes"].to) {
			return m.rule
		}
	}
	return ""
}
