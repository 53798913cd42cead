package scaling

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/loadgen/timeline"
)

// The types of events that this package tells.
const (
	EventDeployment  = "deployment"
	EventRebalancing = "zone-rebalancing"
	EventSpot        = "spot-interruption"
	EventStopped     = "stopped-by-hand"  // StopTask, by a person or a tool
	EventByHand      = "desired-by-hand"  // the desired count changed without an activity
	EventUnhealthy   = "task-unhealthy"   // ECS replaced it for its health checks
	EventDied        = "task-died"        // its container ended by itself
	EventNoStart     = "task-not-started" // it never ran
	EventService     = "ecs"              // what ECS says besides
	EventSuspended   = "suspended"
	EventMuted       = "muted"
	EventUnexplained = "no-activity" // an alarm in ALARM without an activity, and why
)

// ReasonScaleIn is why a task stopped that a scale-in took.
const ReasonScaleIn = "scale-in"

// leaving is why a task stopped: the type of an event, or ReasonScaleIn; empty while it has not.
func (d *derived) leaving(t *task) string {
	left := t.leaves()
	switch {
	case left.IsZero():
		return ""
	case t.stopCode == "SpotInterruption" || t.spot && t.stopCode == "TerminationNotice":
		return EventSpot
	case t.stopCode == "UserInitiated":
		return EventStopped
	case strings.Contains(t.reason, "health check"):
		return EventUnhealthy
	case t.stopCode == "EssentialContainerExited":
		return EventDied
	case t.stopCode == "TaskFailedToStart" || t.started.IsZero():
		return EventNoStart
	case d.rebalanced(t.id, "stopped"):
		return EventRebalancing
	case d.superseded(t, left):
		return EventDeployment
	}
	return ReasonScaleIn
}

// superseded says whether a newer deployment than the task's own was under way when it left, or had been before: a scale-in takes
// tasks of the newest one only.
func (d *derived) superseded(t *task, left time.Time) bool {
	made := t.created
	if own, ok := d.w.deployments[t.deployment]; ok {
		made = own.created
	}
	for _, x := range d.w.deployments {
		if x.id != t.deployment && x.created.After(made) && !x.created.After(left) {
			return true
		}
	}
	return false
}

var (
	rebalances = regexp.MustCompile(`(?i)\bAZ Rebalanc`)
	balanced   = regexp.MustCompile(`(?i)\bis AZ balanced\b`)
	// What ECS says in the course of scaling, which the lives of tasks tell better.
	routine = regexp.MustCompile(`has reached a steady state|has started \d+ tasks|has stopped \d+ running tasks|(de)?registered \d+ targets|has begun draining connections|deployment completed`)
)

// rebalanced says whether ECS told that it started or stopped a task to spread tasks over zones: "(service api) has started 1 tasks
// in eu-central-1a to AZ Rebalance: (task 8378…)." The sentences are of ECS's guide, "Availability Zone service rebalancing service event
// messages".
func (d *derived) rebalanced(id, verb string) bool {
	for _, e := range d.w.events {
		if rebalances.MatchString(e.message) && strings.Contains(e.message, "has "+verb) && strings.Contains(e.message, id) {
			return true
		}
	}
	return false
}

// apart tells what was no scaling.
func (d *derived) apart(desired []step) {
	for _, x := range d.w.deployments {
		if x.created.IsZero() || !x.done.IsZero() && (d.before(x.done) || !x.seenBegin && d.before(x.created)) {
			continue
		}
		d.event(x.id+" began", x.created, EventDeployment, x.id+" began: its tasks take the place of others, and there is no scale-in until it is over")
		if !x.done.IsZero() && x.seenBegin { // else nobody saw when
			detail := x.id + " is over"
			if x.rollout == "FAILED" {
				detail = x.id + " failed: " + cmp.Or(x.reason, "ECS does not say why")
			}
			d.event(x.id+" over", x.done, EventDeployment, detail)
		}
	}
	for id, e := range d.w.events {
		if d.before(e.at) {
			continue
		}
		switch {
		case rebalances.MatchString(e.message) || balanced.MatchString(e.message):
			d.event("ecs "+id, e.at, EventRebalancing, e.message)
		case !routine.MatchString(e.message):
			d.event("ecs "+id, e.at, EventService, e.message)
		}
	}
	if _, ok := d.w.watched["activities"]; ok {
		for _, s := range desired {
			if s.by == "" && s.of >= 0 && s.of != s.n && !d.before(s.at) && s.at.After(d.w.counts[0].at) {
				d.event("by hand "+strconv.FormatInt(s.at.UnixNano(), 10), s.at, EventByHand,
					fmt.Sprintf("the desired count became %d, from %d, without a scaling activity: a person or a tool set it", s.n, s.of))
			}
		}
	}
	for _, m := range d.w.mutes {
		if !d.before(m.to) {
			d.event("mute "+m.rule+" "+m.alarm+" "+strconv.FormatInt(m.from.UnixNano(), 10), m.from, EventMuted,
				fmt.Sprintf("the actions of the alarm %s are muted by the rule %s: it scales nothing meanwhile", d.titleOf(m.alarm), m.rule))
		}
	}
}

func (d *derived) titleOf(alarm string) string {
	if a, ok := d.w.alarms[alarm]; ok {
		return a.title()
	}
	return alarm
}

// tasks tells the lives of tasks, and of those that left otherwise than by a scale-in an event.
func (d *derived) tasks() {
	replaces := d.replacements()
	for _, id := range sortedKeys(d.w.tasks) {
		t := d.w.tasks[id]
		left := t.leaves()
		if end := t.gone(); t.created.IsZero() || !end.IsZero() && d.before(end) {
			continue
		}
		why := d.leaving(&t)
		k := timeline.Task{
			ID: id, Zone: t.zone, Requested: d.at(t.created), Running: d.orNever(t.started), Healthy: d.orNever(d.passed(&t)), FirstSent: timeline.Never,
			Draining: d.orNever(left), Stopped: d.orNever(t.gone()), Replaces: replaces[id], Reason: why,
		}
		if t.started.IsZero() {
			k.Draining = timeline.Never
		}
		d.tell(timeline.Fact{ID: id, Task: &k})
		switch why {
		case EventSpot, EventStopped, EventUnhealthy, EventDied, EventNoStart:
			if !d.before(left) {
				detail := "task " + id
				if t.reason != "" {
					detail += ": " + t.reason
				}
				d.event("task "+id, left, why, detail)
			}
		}
	}
}

// passed is when a task's target was first seen to be healthy; zero when that is not known. A target is told of by its address: it
// is the task's while that runs.
func (d *derived) passed(t *task) time.Time {
	if len(d.w.groups) == 0 {
		return t.started
	}
	if t.ip == "" {
		return time.Time{}
	}
	first := d.w.watched["health"].from
	for id, list := range d.w.targets {
		if address := id[:strings.LastIndexByte(id, ':')]; address != t.ip {
			continue
		}
		for _, h := range list {
			if h.state != healthy || h.at.Before(t.created) {
				continue
			}
			if left := t.leaves(); !left.IsZero() && h.at.After(left) {
				break
			}
			if h.at.Equal(first) && t.started.Before(first) && !t.started.IsZero() {
				if d.before(first) {
					return d.origin
				}
				return time.Time{} // it was so before anybody looked
			}
			return h.at
		}
	}
	return time.Time{}
}

// replacements are the tasks that were placed for others which left otherwise than by a scale-in: of each the ID of the one that it
// stands for. ECS does not tell; one is taken as placed for another when it was created near that one's end, for a deployment by a newer
// one, for rebalancing as ECS says, else after it.
func (d *derived) replacements() map[string]string {
	const near = 15 * time.Minute
	var gone, placed []task
	why := map[string]string{}
	for _, t := range d.w.tasks {
		if w := d.leaving(&t); w != "" && w != ReasonScaleIn {
			gone, why[t.id] = append(gone, t), w
		}
		if !t.created.IsZero() && !d.before(t.created) {
			placed = append(placed, t)
		}
	}
	slices.SortFunc(gone, func(a, b task) int { return cmp.Or(a.leaves().Compare(b.leaves()), strings.Compare(a.id, b.id)) })
	slices.SortFunc(placed, func(a, b task) int { return cmp.Or(a.created.Compare(b.created), strings.Compare(a.id, b.id)) })
	of := map[string]string{}
	for _, g := range gone {
		left := g.leaves()
		for _, p := range placed {
			if of[p.id] != "" || p.id == g.id || p.created.Sub(left).Abs() > near {
				continue
			}
			fits := p.created.After(left) && p.deployment == g.deployment
			switch why[g.id] {
			case EventDeployment:
				fits = p.deployment != g.deployment && p.created.After(g.created)
			case EventRebalancing:
				fits = d.rebalanced(p.id, "started")
			}
			if fits {
				of[p.id] = g.id
				break
			}
		}
	}
	return of
}
