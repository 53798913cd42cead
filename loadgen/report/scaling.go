package report

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/document"
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

// scaling is the story of a run of which there is a timeline. Figures are those of the result, or,
// where it has none, those that follow from the timeline alone.
func scaling(in Input) []document.Block {
	t := in.Timeline
	var f timeline.Figures
	if len(in.Result.Elasticity) == 0 || json.Unmarshal(in.Result.Elasticity, &f) != nil {
		f = timeline.Compute(t, nil, timeline.Capacity{})
	}
	s := story{}
	var load []document.Series
	var cut error
	if in.Windows != nil && t.End > 0 {
		load, cut = ofWindows(spanOf(t), in.Windows)
	}
	s.tell(t, &f, load, maxMoves)
	if table, ok := tasksOf(t, &f); ok {
		s.tasks = &table
	} else {
		s.facts.add("tasks", manyTasks(t)...)
	}
	if cut != nil {
		s.notes = append(s.notes, "Load and latency are shown as far as they could be read: "+cut.Error())
	}
	if in.OnAWS != "" {
		s.facts.add("on AWS", in.OnAWS)
	}
	s.expectations = in.Expectations
	s.unfit = !claims(in.Result)
	return s.blocks()
}

// story is how capacity followed load, before its parts are put in order.
type story struct {
	title        string
	notes        []string
	chart        document.Chart
	moves        document.List
	events       document.List
	tasks        *document.Table // nil where tasks were not told apart or are too many
	facts        facts
	expectations []result.Outcome
	unfit        bool // the generator, so that nothing is said of the service
}

func (s *story) tell(t *timeline.Timeline, f *timeline.Figures, load []document.Series, most int) {
	s.title = title(t, f)
	s.notes = append(s.notes, shortLoad(f)...)
	s.chart = chartOf(t, load)
	s.moves = document.List{Name: "activities", Items: moves(t, most), None: "none"}
	s.events = document.List{Name: "events", Items: events(t)}
	s.facts.add("scale-out", scaleOut(f, t)...)
	s.facts.add("scale-in", scaleIn(f, t)...)
	s.facts.add("replaced", replaced(f)...)
	s.facts.add("capacity", provisioning(f)...)
	s.facts.add("failures", failures(t.Answers)...)
}

func (s *story) blocks() (all []document.Block) {
	all = append(all, document.Section{Name: "scaling", Title: s.title})
	for _, n := range s.notes {
		all = append(all, document.Note{Tone: document.Strong, Text: n})
	}
	if s.chart.Length > 0 {
		all = append(all, s.chart)
	}
	if len(s.expectations) > 0 {
		l := document.List{Name: "expectations", Items: outcomes(s.expectations)}
		if s.unfit {
			l.Items = append(l.Items, document.Item{Text: "They were judged on a load that an unfit generator sent."})
		}
		all = append(all, l)
	}
	all = append(all, s.moves)
	if len(s.events.Items) > 0 {
		all = append(all, s.events)
	}
	if s.tasks != nil {
		all = append(all, *s.tasks)
	}
	return append(all, s.facts.Facts)
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
		text += "; (simulated time) " + clock.times() + " as fast"
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
		return []string{fmt.Sprintf("The load lasted %s of simulated time, and the high alarm needs three minutes above the target: no scale-out can follow from it; %s.", units.Clock(length), more)}
	case f.Lags.Decision == nil:
		return nil
	}
	return []string{fmt.Sprintf("The load lasted %s of simulated time, and the high alarm needs three minutes of it: the new tasks begin to serve just as the load ends; %s.", units.Clock(length), more)}
}
