package report

import (
	"io"
	"slices"
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
}

// SimulationText writes a simulation for a terminal: its figures in a row, then the story of a run
// but for what only traffic can tell.
func SimulationText(w io.Writer, in Simulation, o Options) error {
	p := newPage(o)
	t, f := in.Timeline, &in.Figures
	s := &story{claims: true}
	s.gather(t, f, ofSteps(gridOf(t, p.width), in.Load))
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

// SweepRow is one simulation of a sweep, in service time.
type SweepRow struct {
	Parameter, Value string // target, 50
	MaxTasks         int
	UnderProvisioned time.Duration // negative when it is not known
	TaskHours        float64
	Activities       int
	BackAtMin        time.Duration // since the load began; negative when it was not
}

// SweepText writes the rows of a sweep as a table for a terminal.
func SweepText(w io.Writer, rows []SweepRow, o Options) error {
	p := newPage(o)
	heads := []string{"value", "max tasks", "time under", "task-hours", "activities", "back at min"}
	cells := make([][]string, len(rows))
	for i, r := range rows {
		under, back := units.None, "not"
		if r.UnderProvisioned >= 0 {
			under = units.Clock(r.UnderProvisioned)
		}
		if r.BackAtMin >= 0 {
			back = units.Clock(r.BackAtMin)
		}
		cells[i] = []string{clip(clean(r.Parameter+" "+r.Value), 20), units.Count(int64(r.MaxTasks)), under, hundredths(r.TaskHours), units.Count(int64(r.Activities)), back}
	}
	p.grid(heads, cells)
	p.block(p.paint.dim, "time under: with more load than the healthy tasks can do; back at min: since the load began; both of service time")
	_, err := io.WriteString(w, p.b.String())
	return err
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
