package scaling

import (
	"fmt"
	"slices"
	"time"

	"scalableappbackend/loadgen/timeline"
)

// Late is one step of scaling beside what the models say of it: those by which the lab and the simulation work, see
// autoscaling.Models.
type Late struct {
	At          time.Time
	What        string // "the alarm cpu-AlarmHigh, since its newest datapoint's period ended"
	Took, Model time.Duration
}

// By is how much later than the model it was; below 0 it was sooner.
func (l Late) By() time.Duration { return l.Took - l.Model }

// String is a sentence.
func (l Late) String() string {
	return fmt.Sprintf("%s took %s, which is %s more than the %s of the model", l.What, short(l.Took), short(l.By()), short(l.Model))
}

func short(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }

// recordedAction is from an alarm's change to the start of its activity (radkawar/stackd, scale_in.json: 0.2 s).
const recordedAction = 200 * time.Millisecond

// Steps are the steps of scaling that took a time which a model has: a datapoint's delay until its alarm, the alarm until
// its activity, the activity until its tasks were created, and those until they ran. They are in order of time.
func (w *Watcher) Steps() []Late {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.world.steps()
}

func (w *world) steps() (all []Late) {
	m := w.models()
	for at, c := range w.changes {
		a, ok := w.alarms[at.name]
		if !ok || c.newest.IsZero() || c.state != timeline.Alarm {
			continue
		}
		model := time.Duration(m.MetricDelay)
		if a.period > 0 {
			model = time.Duration(m.WithPeriod(a.period).MetricDelay)
		}
		all = append(all, Late{c.at, "the alarm " + a.title() + ", since its newest datapoint's period ended,", c.at.Sub(c.newest.Add(a.period)), model})
	}
	for _, x := range w.acts {
		if x.to < 0 || len(x.reasons) > 0 || x.alarm == "" {
			continue
		}
		var alarm time.Time
		for at, c := range w.changes {
			if at.name == x.alarm && c.state == timeline.Alarm && !c.at.After(x.start) && c.at.After(alarm) {
				alarm = c.at
			}
		}
		// One that follows a cooldown is not of the alarm's change.
		if !alarm.IsZero() && x.start.Sub(alarm) < grace {
			all = append(all, Late{x.start, fmt.Sprintf("the activity that set %d tasks, since its alarm,", x.to), x.start.Sub(alarm), recordedAction})
		}
		var created time.Time
		for _, t := range w.tasks {
			if t.created.After(x.start) && t.created.Sub(x.start) < grace && (created.IsZero() || t.created.Before(created)) {
				created = t.created
			}
		}
		if !created.IsZero() {
			all = append(all, Late{created, fmt.Sprintf("the first task for the activity that set %d, until it was created,", x.to), created.Sub(x.start), m.TaskStart.Created})
		}
	}
	for _, t := range w.tasks {
		if !t.created.IsZero() && !t.started.IsZero() && t.created.After(w.firstPoll) {
			all = append(all, Late{t.started, "the task " + t.id + ", from created to running,", t.started.Sub(t.created), m.TaskStart.Running})
		}
	}
	slices.SortFunc(all, func(a, b Late) int { return a.At.Compare(b.At) })
	return all
}

// lateness are the steps that took much longer than by the model: half as long again, and 15 s at least.
func (w *world) lateness() (all []Late) {
	const share, least = 2, 15 * time.Second
	for _, l := range w.steps() {
		if l.By() >= max(l.Model/share, least) {
			all = append(all, l)
		}
	}
	return all
}
