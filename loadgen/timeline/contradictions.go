package timeline

import (
	"fmt"
	"strconv"
	"time"

	"scalableappbackend/internal/input"
)

// Contradictions returns a sentence for each kind of reports that cannot both be right: more tasks healthy than running, a task
// that was healthy before it ran. They happen when sources report with different delays. Figures are computed from such a timeline
// as it is, so readers need this warning.
func (t *Timeline) Contradictions() (all []string) {
	if text := t.moreHealthy(); text != "" {
		all = append(all, text)
	}
	wrong, example := 0, ""
	note := func(format string, args ...any) {
		if wrong++; wrong == 1 {
			example = fmt.Sprintf(format, args...)
		}
	}
	for i := range t.Tasks {
		k := &t.Tasks[i]
		if text := k.contradiction(); text != "" {
			note("task %s %s", input.Quote(k.ID), text)
		}
	}
	for _, a := range t.Activities {
		if a.Completed != 0 && a.Completed < a.At {
			note("the activity that began at %s s ended at %s s, which is earlier", seconds(a.At), seconds(a.Completed))
		}
	}
	if wrong > 0 {
		text := "the timeline contradicts itself: " + example
		if wrong > 1 {
			text += ", and " + strconv.Itoa(wrong-1) + " more of the kind"
		}
		all = append(all, text)
	}
	return all
}

// moreHealthy says when more tasks were told to be healthy than running.
func (t *Timeline) moreHealthy() string {
	var total time.Duration
	worst := Point{At: Never}
	from := Never
	for i, p := range t.Points {
		if p.Healthy <= p.Running {
			continue
		}
		end := t.End
		if i+1 < len(t.Points) {
			end = t.Points[i+1].At
		}
		if t.NotSeen(p.At, end, CountRunning, CountHealthy) != "" {
			continue // one of them is not what it was
		}
		if total += end - p.At; from < 0 {
			from = p.At
		}
		if worst.At < 0 || p.Healthy-p.Running > worst.Healthy-worst.Running {
			worst = p
		}
	}
	if from < 0 {
		return ""
	}
	return fmt.Sprintf("the timeline contradicts itself: more tasks were healthy than ran for %s s, from %s s on (%d healthy, %d running), as when two sources report with different delays",
		seconds(total.Round(time.Millisecond)), seconds(from.Round(time.Millisecond)), worst.Healthy, worst.Running)
}

// contradiction says what of a task's life cannot have been in this order. A response may come before the first passing check,
// because a balancer that has no healthy target fails open, and the last one after the task has gone.
func (t *Task) contradiction() string {
	for _, x := range []struct {
		before, after time.Duration
		text          string
	}{
		{t.Requested, t.Running, "ran before it was asked for"},
		{t.Running, t.Healthy, "was healthy before it ran"},
		{t.Running, t.FirstSent, "answered before it ran"},
		{t.Requested, t.Draining, "was deregistered before it was asked for"},
		{t.Requested, t.Stopped, "stopped before it was asked for"},
		{t.Running, t.Stopped, "ran after it had stopped"},
		{t.Healthy, t.Stopped, "was healthy after it had stopped"},
		{t.Draining, t.Stopped, "was deregistered after it had stopped"},
	} {
		if x.before >= 0 && x.after >= 0 && x.after < x.before {
			return x.text
		}
	}
	if t.Errors > t.Requests {
		return fmt.Sprintf("has more errors than requests, %d of %d", t.Errors, t.Requests)
	}
	return ""
}
