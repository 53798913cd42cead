package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"scalableappbackend/internal/units"
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
	// ScaleIn is what became of it by each model of how far a scale-in goes, which AWS does not publish.
	ScaleIn []Alternative
	// Advice is about the target to set, where it is known what a task can do within an objective.
	Advice []Advice
}

// Alternative is the same simulation by another model, in service time.
type Alternative struct {
	Model     string        `json:"model"`
	BackAtMin time.Duration `json:"-"` // since the load ended; negative when it was not
	TaskHours float64       `json:"task_hours"`
	Steps     int           `json:"activities"`
}

// SimulationText writes a simulation for a terminal: its figures in a row, then the story of a run
// but for what only traffic can tell.
func SimulationText(w io.Writer, in Simulation, o Options) error {
	p := newPage(o)
	t, f := in.Timeline, &in.Figures
	s := &story{claims: true}
	s.gather(t, f, ofSteps(gridOf(t, p.width), in.Load))
	s.moves = moves(t, maxSimulated)
	s.addItem("recovery", sensitivity(in.ScaleIn)...)
	for _, a := range in.Advice {
		s.addItem("target", a.line())
	}
	s.expectations = outcomes(in.Expectations)

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
	p.grid([]string{"max tasks", "first wanted", "time under", "task-hours", "ideal", "activities", "back at min"},
		[][]string{{units.Count(int64(f.MaxTasks)), wanted, under, hundredths(f.TaskHours), ideal, units.Count(int64(f.Activities)), back}})
	p.line("")
	p.story(s)
	_, err := io.WriteString(w, p.b.String())
	return err
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

// SweepRow is one simulation of a sweep, in service time.
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
	p := newPage(o)
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
		cells = append(cells, []string{clip(clean(r.Parameter+" "+value), 21), units.Count(int64(r.MaxTasks)), under, hundredths(r.TaskHours),
			units.Count(int64(r.Activities)), back, cmp.Or(clip(clean(r.Decided), 13), units.None)})
		i = end
	}
	if p.width < 100 { // the least of it is given up
		heads = slices.Delete(heads, 4, 5)
		for i := range cells {
			cells[i] = slices.Delete(cells[i], 4, 5)
		}
	}
	p.grid(heads, cells)
	p.block(p.paint.dim, "time under: with more load than the healthy tasks can do; back at min: since the load began; both of service time")
	_, err := io.WriteString(w, p.b.String())
	return err
}

// same reports whether two values came to the same.
func (r SweepRow) same(other SweepRow) bool {
	r.Value = other.Value
	return r == other
}

// grid writes a table of which every column is at the right of its width.
func (p *page) grid(heads []string, rows [][]string) {
	widths := make([]int, len(heads))
	all := slices.Concat([][]string{heads}, rows)
	for _, row := range all {
		for c, text := range row {
			widths[c] = max(widths[c], utf8.RuneCountInString(text))
		}
	}
	for i, row := range all {
		text := pad(row[0], widths[0], false)
		for c := 1; c < len(row); c++ {
			text += "  " + pad(row[c], widths[c], true)
		}
		if i == 0 {
			text = p.paint.dim(text)
		}
		p.line(text)
	}
}
