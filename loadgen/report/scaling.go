package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// How much of a long story is told.
const (
	maxMoves  = 12 // scaling activities, runs of those that did not scale being one
	maxTasks  = 12 // tasks with a line each
	maxEvents = 6
	maxPath   = 16 // numbers of the path of desired capacity
)

// story is how capacity followed load, before it is laid out but for its chart, which is as wide as
// the page.
type story struct {
	title        string
	notes        []string
	chart        *chart // nil of a run that took no time
	moves        []move
	tasks        *taskTable // nil where tasks were not told apart or are too many
	items        []item
	expectations []threshold
	claims       bool
}

// tell makes the story of a run of which there is a timeline. Figures are those of the result, or,
// where it has none, those that follow from the timeline alone.
func tell(in Input, width int) *story {
	t := in.Timeline
	if t == nil {
		return nil
	}
	var f timeline.Figures
	if len(in.Result.Elasticity) == 0 || json.Unmarshal(in.Result.Elasticity, &f) != nil {
		f = timeline.Compute(t, nil, timeline.Capacity{})
	}
	s := &story{claims: in.Result.Verdict.Validity != result.Invalid}
	g := gridOf(t, width)
	load := newTraffic(g)
	if in.Windows != nil && g.length > 0 {
		load = ofWindows(g, in.Windows)
	}
	s.gather(t, &f, load)
	if s.tasks = tasksOf(t, &f); s.tasks == nil {
		s.addItem("tasks", manyTasks(t)...)
	}
	if load.cut != nil {
		s.notes = append(s.notes, "Load and latency are shown as far as they could be read: "+clean(load.cut.Error()))
	}
	if in.OnAWS != "" {
		s.addItem("on AWS", clean(in.OnAWS))
	}
	s.expectations = outcomes(in.Expectations)
	return s
}

// gridOf is the grid of a chart on a page of a width.
func gridOf(t *timeline.Timeline, width int) grid {
	return grid{length: t.End, columns: width - labels - aside}
}

func (s *story) gather(t *timeline.Timeline, f *timeline.Figures, load *traffic) {
	s.title = title(t, f)
	s.notes = append(s.notes, shortLoad(f)...)
	if load.length > 0 {
		s.chart = newChart(t, load)
	}
	s.moves = moves(t, maxMoves)
	s.addItem("events", eventLines(t)...)
	s.addItem("scale-out", scaleOut(f, t)...)
	s.addItem("scale-in", scaleIn(f, t)...)
	s.addItem("replaced", replaced(f)...)
	s.addItem("capacity", provisioning(f)...)
	s.addItem("failures", failures(t.Answers)...)
}

func (s *story) addItem(name string, lines ...string) {
	if len(lines) > 0 {
		s.items = append(s.items, item{name, lines, false})
	}
}

// path is desired capacity from the load's start to the end: 2 → 6 → 5 → 4 → 3 → 2.
func path(t *timeline.Timeline) string {
	var numbers []string
	last := -1
	t.Between(t.LoadFrom, t.End, func(_, _ time.Duration, p timeline.Point) {
		if p.Desired != last {
			numbers = append(numbers, small(p.Desired))
			last = p.Desired
		}
	})
	if len(numbers) > maxPath {
		half := maxPath / 2
		numbers = append(append(numbers[:half:half], "…"), numbers[len(numbers)-half:]...)
	}
	return strings.Join(numbers, " → ")
}

// title is what capacity did, in a line.
func title(t *timeline.Timeline, f *timeline.Figures) string {
	low, high := t.BoundsAt(t.LoadFrom)
	text := path(t)
	switch {
	case text == "":
		text = "capacity is not known"
	case !strings.Contains(text, "→"):
		text += " throughout"
	}
	if f.Oscillations != nil {
		text += ", " + plural(int64(*f.Oscillations), "oscillation")
	} else {
		text += ", oscillations unknown"
	}
	text += fmt.Sprintf(", bounds %d to %d", low, high)
	if clock := clocksOf(t); clock.apart() {
		text += "; (service time) " + clock.times() + " as fast"
	}
	return text
}

// shortLoad says why a load that is too short could not show scaling: AWS's high alarm takes three
// periods of a minute, and nobody can set it otherwise.
func shortLoad(f *timeline.Figures) []string {
	const alarm, serving = 3 * time.Minute, 4 * time.Minute
	length := f.Load.Service
	more := "give it longer (-t 15m)"
	if f.Speedup < 4 {
		more += ", or compress the clock (--speedup 20)"
	}
	switch {
	case length <= 0 || length > serving:
		return nil
	case length < alarm:
		return []string{fmt.Sprintf("The load lasted %s of service time, and the high alarm needs three minutes above the target: no scale-out can follow from it; %s.", units.Clock(length), more)}
	case f.Lags.Decision == nil:
		return nil
	}
	return []string{fmt.Sprintf("The load lasted %s of service time, and the high alarm needs three minutes of it: the new tasks begin to serve just as the load ends; %s.", units.Clock(length), more)}
}
