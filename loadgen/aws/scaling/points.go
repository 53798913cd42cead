package scaling

import (
	"slices"
	"strconv"
	"time"

	"scalableappbackend/loadgen/timeline"
)

// points are the counts over time: desired as derived, running and draining by the instants of tasks' lives, healthy as the balancer
// was seen to say. Without tasks, running is as ECS counted it at each look, and draining as the balancer says. A service behind no
// balancer is healthy as far as it runs.
func (d *derived) points(desired []step) {
	running, leaving := d.fromTasks()
	if !d.seenTasks() {
		running, leaving = d.fromCounts(), d.fromTargets(draining)
	}
	health := running
	if len(d.w.groups) > 0 {
		health = d.fromTargets(healthy)
	}
	series := [][]step{desired, running, health, leaving}
	instants := []time.Time{d.origin}
	for _, steps := range series {
		for _, s := range steps {
			if s.at.After(d.origin) && !s.at.After(d.now) {
				instants = append(instants, s.at)
			}
		}
	}
	slices.SortFunc(instants, time.Time.Compare)
	instants = slices.CompactFunc(instants, time.Time.Equal)
	if len(desired) == 0 && len(running) == 0 && len(health) == 0 {
		return
	}
	for _, at := range instants {
		var n [4]int
		for i, steps := range series {
			n[i], _ = valueAt(steps, at)
		}
		p := timeline.Point{At: d.at(at), Desired: n[0], Running: n[1], Healthy: n[2], Draining: n[3]}
		if len(desired) == 0 {
			p.Desired = p.Running
		}
		d.tell(timeline.Fact{ID: strconv.FormatInt(int64(p.At), 10), Point: &p})
	}
}

func (d *derived) seenTasks() bool { _, ok := d.w.watched["tasks"]; return ok }

// changesOf are steps of a count from its ups and downs.
func changesOf(ups, downs []time.Time) (steps []step) {
	type change struct {
		at time.Time
		by int
	}
	var all []change
	for _, t := range ups {
		all = append(all, change{t, 1})
	}
	for _, t := range downs {
		all = append(all, change{t, -1})
	}
	slices.SortStableFunc(all, func(a, b change) int { return a.at.Compare(b.at) })
	n := 0
	for i, c := range all {
		n += c.by
		if i+1 < len(all) && all[i+1].at.Equal(c.at) {
			continue
		}
		steps = append(steps, step{at: c.at, n: n})
	}
	return steps
}

// fromTasks are the running and the draining tasks by their own instants.
func (d *derived) fromTasks() (running, leaving []step) {
	var ups, downs, leave, gone []time.Time
	for _, t := range d.w.tasks {
		if t.started.IsZero() {
			continue // one that never ran drains nothing
		}
		left := t.leaves()
		ups = append(ups, t.started)
		if left.IsZero() {
			continue
		}
		if left.Before(t.started) {
			left = t.started
		}
		downs, leave = append(downs, left), append(leave, left)
		if end := t.gone(); !end.IsZero() {
			if end.Before(left) {
				end = left
			}
			gone = append(gone, end)
		}
	}
	return changesOf(ups, downs), changesOf(leave, gone)
}

// fromCounts is running as ECS counted.
func (d *derived) fromCounts() (steps []step) {
	for i, c := range d.w.counts {
		at := c.at
		if i == 0 {
			at = time.Time{}
		}
		steps = append(steps, step{at: at, n: c.running})
	}
	return steps
}

// fromTargets is how many targets were in a state. What was so at the first look was so before, as far as anybody knows.
func (d *derived) fromTargets(state string) (steps []step) {
	first := d.w.watched["health"].from
	var ups, downs []time.Time
	for _, list := range d.w.targets {
		in := false
		for _, h := range list {
			at := h.at
			if at.Equal(first) {
				at = time.Time{}
			}
			switch is := h.state == state; {
			case is && !in:
				ups = append(ups, at)
			case !is && in:
				downs = append(downs, at)
			}
			in = h.state == state
		}
	}
	return changesOf(ups, downs)
}

// keptTasks is how long ECS tells of a task that has stopped.
const keptTasks = time.Hour

// unseen are the counts that nobody could see.
func (d *derived) unseen(desired []step) {
	say := func(count timeline.Count, from, to time.Time, why string) {
		if to.After(d.origin) && to.After(from) {
			d.tell(timeline.Fact{ID: string(count) + " " + why, Unseen: &timeline.Unseen{From: d.at(from), To: d.at(to), Count: count, Why: why}})
		}
	}
	forever := d.origin.Add(timeline.MaxTime)
	w := d.w
	s, seen := w.watched["service"]
	_, told := w.watched["activities"]
	if !seen && !told {
		say(timeline.CountDesired, d.origin, forever, "neither ecs:DescribeServices nor scaling activities could be read")
	}
	if len(desired) > 0 && desired[0].of < 0 {
		say(timeline.CountDesired, d.origin, desired[0].at, "ECS keeps no counts, and no activity tells of the time before")
	}
	tasks, byTask := w.watched["tasks"]
	switch {
	case byTask:
		// Tasks that had stopped an hour before the first look are not told of any more.
		const why = "ECS tells of a task for an hour after it stopped"
		say(timeline.CountRunning, d.origin, tasks.from.Add(-keptTasks), why)
		say(timeline.CountDraining, d.origin, tasks.from.Add(-keptTasks), why)
	case seen:
		say(timeline.CountRunning, d.origin, s.from, "ECS keeps no counts, and tasks could not be read")
	default:
		say(timeline.CountRunning, d.origin, forever, "neither tasks nor ecs:DescribeServices could be read")
	}
	h, byTarget := w.watched["health"]
	const notKept = "a balancer keeps no target health"
	switch {
	case !seen:
		say(timeline.CountHealthy, d.origin, forever, "ecs:DescribeServices, which names the target groups, could not be read")
	case len(w.groups) == 0:
		return
	case !byTarget:
		say(timeline.CountHealthy, d.origin, forever, "target health could not be read")
		if !byTask {
			say(timeline.CountDraining, d.origin, forever, "neither tasks nor target health could be read")
		}
	default:
		say(timeline.CountHealthy, d.origin, h.from, notKept)
		if !byTask {
			say(timeline.CountDraining, d.origin, h.from, notKept)
		}
	}
	// A reader that stopped to succeed: what it told last stands, and is not known any more.
	const lost = 3 * slowest
	if byTarget && d.now.Sub(h.to) > lost {
		say(timeline.CountHealthy, h.to, forever, "target health cannot be read any more")
	}
	if byTask && d.now.Sub(tasks.to) > lost {
		say(timeline.CountRunning, tasks.to, forever, "tasks cannot be read any more")
	}
}
