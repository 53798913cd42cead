package report

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/document"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// Simulation is what the autoscaler alone made of a load: no traffic, so no latency and no verdict.
type Simulation struct {
	Timeline *timeline.Timeline
	Figures  timeline.Figures
	Load     timeline.Load
	// FirstWanted is how many tasks the first activity's policy asked for, before the bounds; 0 when it is not known.
	FirstWanted  int
	Expectations []result.Outcome
	// From is where the load is from, or the load itself.
	From string
	// ScaleIn is the recovery by each model of how far a scale-in goes, which AWS does not publish.
	ScaleIn []Alternative
	// Advice is about the target to set, where it is known what a task can do within an objective.
	Advice []Advice
}

// Alternative is the same simulation by another model, in simulated time.
type Alternative struct {
	Model     string        `json:"model"`
	BackAtMin time.Duration `json:"-"` // since the load ended; negative when it was not
	TaskHours float64       `json:"task_hours"`
	Steps     int           `json:"activities"`
}

// SimulationText writes a simulation for a terminal: its figures in a row, then the story of a run
// but for what only traffic can tell.
func SimulationText(w io.Writer, in Simulation, o Options) error {
	return document.Text(w, simulated(in), o.layout())
}

func simulated(in Simulation) *document.Document {
	t, f := in.Timeline, &in.Figures
	s := &story{expectations: in.Expectations}
	s.tell(t, f, ofSteps(t, in.Load), maxSimulated)
	s.facts.add("recovery", sensitivity(in.ScaleIn)...)
	for _, a := range in.Advice {
		s.facts.add("target", a.line())
	}

	wanted, under, ideal, back := units.None, units.None, units.None, "not"
	if in.FirstWanted > 0 {
		wanted = units.Count(int64(in.FirstWanted))
	}
	if pr := f.Provisioning; pr != nil && pr.Whole != nil {
		under, ideal = units.Clock(pr.Whole.Under.Service), hundredths(pr.Whole.IdealTaskHours)
	}
	switch {
	case f.Recovery != nil:
		back = units.Clock(f.Load.Service + f.Recovery.Service)
	case len(f.ScaleOutPath)+len(f.ScaleInPath) <= 2:
		back = "never left"
	}
	d := &document.Document{}
	d.Add(grid([]string{"max tasks", "first wanted", "time under", "task-hours", "ideal", "activities", "back at min"},
		[][]string{{units.Count(int64(f.MaxTasks)), wanted, under, hundredths(f.TaskHours), ideal, units.Count(int64(f.Activities)), back}}))
	d.Add(s.blocks()...)
	return d
}

// maxSimulated is how many activities of a simulation are told: all of them, but for what is a mistake.
const maxSimulated = 1000

// sensitivity says what recovery depends on that nobody publishes.
func sensitivity(all []Alternative) []string {
	if len(all) < 2 {
		return nil
	}
	var texts []string
	for _, a := range all {
		back := "not back"
		if a.BackAtMin >= 0 {
			back = "back at min " + units.Clock(a.BackAtMin) + " after the load"
		}
		texts = append(texts, fmt.Sprintf("by %s %s, in %s, task-hours %s", a.Model, back, pluralOf(int64(a.Steps), "activity", "activities"), hundredths(a.TaskHours)))
	}
	return []string{"AWS does not publish how far a scale-in goes: " + strings.Join(texts, "; ")}
}

// SweepRow is one simulation of a sweep, in simulated time.
type SweepRow struct {
	Parameter, Value string // target, 50
	MaxTasks         int
	UnderProvisioned time.Duration // negative when it is not known
	TaskHours        float64
	Activities       int
	BackAtMin        time.Duration // since the load began; negative when it was not
	Decided          string        // the policies whose activities these are
}

// SweepText writes the rows of a sweep as a table for a terminal. Neighbours that came to the same are one row, of a range.
func SweepText(w io.Writer, rows []SweepRow, o Options) error {
	heads := []string{"value", "max tasks", "time under", "task-hours", "activities", "back at min", "decided by"}
	var cells [][]string
	for i := 0; i < len(rows); {
		end := i + 1
		for end < len(rows) && rows[end].same(rows[i]) {
			end++
		}
		r := rows[i]
		value := r.Value
		if end-i > 1 {
			value += ".." + rows[end-1].Value
		}
		under, back := units.None, "not"
		if r.UnderProvisioned >= 0 {
			under = units.Clock(r.UnderProvisioned)
		}
		switch {
		case r.BackAtMin >= 0:
			back = units.Clock(r.BackAtMin)
		case r.Activities == 0:
			back = "never left"
		}
		cells = append(cells, []string{document.Clip(r.Parameter+" "+value, 21), units.Count(int64(r.MaxTasks)), under, hundredths(r.TaskHours),
			units.Count(int64(r.Activities)), back, cmp.Or(document.Clip(r.Decided, 13), units.None)})
		i = end
	}
	d := &document.Document{}
	table := grid(heads, cells)
	table.Columns[4].Spare = 1 // the least of it
	table.Rows = append(table.Rows, document.Row{Note: "time under: with more load than the healthy tasks can do; back at min: since the load began; both of simulated time"})
	d.Add(table)
	return document.Text(w, d, o.layout())
}

// same reports whether two values came to the same.
func (r SweepRow) same(other SweepRow) bool {
	r.Value = other.Value
	return r == other
}

// grid is a table of which every column but the first is at the right of its width.
func grid(heads []string, rows [][]string) document.Table {
	var t document.Table
	for i, head := range heads {
		t.Columns = append(t.Columns, document.Column{Head: head, Right: i > 0})
	}
	for _, row := range rows {
		cells := make([]document.Cell, len(row))
		for i, text := range row {
			cells[i].Text = text
		}
		t.Rows = append(t.Rows, document.Row{Cells: cells})
	}
	return t
}
