package report

import (
	"encoding/json"
	"io"
	"time"

	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// SimulationSchema is the form of simulation.json, SweepSchema that of sweep.json. Fields may be added to a version.
const (
	SimulationSchema = "loadgen/simulation/v1"
	SweepSchema      = "loadgen/sweep/v1"
)

type (
	wireSimulation struct {
		Schema       string             `json:"schema"`
		Load         string             `json:"load"` // where it is from, or its points
		FirstWanted  int                `json:"first_wanted"`
		Elasticity   timeline.Figures   `json:"elasticity"` // as in result.json
		Expectations []result.Outcome   `json:"expectations"`
		ScaleIn      []wireAlternative  `json:"scale_in_models"`
		Targets      []wireAdvice       `json:"targets"`
		Timeline     *timeline.Timeline `json:"timeline,omitempty"` // as timeline.json
	}
	wireAlternative struct {
		Alternative
		Back *float64 `json:"back_at_min_s"` // after the load's end; null when it was not
	}
	wireAdvice struct {
		Metric    string  `json:"metric"`
		Target    float64 `json:"target"`
		Min       int     `json:"min"`
		Max       int     `json:"max"`
		Objective string  `json:"objective"`
		Capacity  float64 `json:"task_capacity"`
		Rate      float64 `json:"requests_per_second_per_task"`
		React     float64 `json:"react_s"`
		Growth    float64 `json:"growth"`
		At        float64 `json:"growth_at_s"`
		From      float64 `json:"growth_from"`
		To        float64 `json:"growth_to"`
		Under     float64 `json:"under_provisioned_s"`
		TaskHours float64 `json:"task_hours"`
		Why       string  `json:"reckoning"`
	}
	wireSweepRow struct {
		Setting    string   `json:"setting"`
		Value      string   `json:"value"`
		MaxTasks   int      `json:"max_tasks"`
		Under      *float64 `json:"under_provisioned_s"`
		TaskHours  float64  `json:"task_hours"`
		Activities int      `json:"activities"`
		Back       *float64 `json:"back_at_min_s"` // since the load began; null when it was not
		Decided    string   `json:"decided_by"`
	}
)

// secondsOf is null for what did not happen.
func secondsOf(d time.Duration) *float64 {
	if d < 0 {
		return nil
	}
	return new(d.Seconds())
}

// SimulationJSON writes a simulation as simulation.json has it, with the timeline where there is one.
func SimulationJSON(w io.Writer, in Simulation) error {
	out := wireSimulation{
		Schema: SimulationSchema, Load: in.From, FirstWanted: in.FirstWanted, Elasticity: in.Figures,
		Expectations: append([]result.Outcome{}, in.Expectations...), ScaleIn: []wireAlternative{}, Targets: []wireAdvice{}, Timeline: in.Timeline,
	}
	for _, a := range in.ScaleIn {
		out.ScaleIn = append(out.ScaleIn, wireAlternative{a, secondsOf(a.BackAtMin)})
	}
	for _, a := range in.Advice {
		out.Targets = append(out.Targets, wireAdvice{
			a.Metric, a.Target, a.Min, a.Max, a.Objective, a.Capacity, a.Rate, a.React.Seconds(), a.Growth, a.At.Seconds(), a.From, a.To,
			a.Under.Seconds(), a.TaskHours, a.line(),
		})
	}
	return writeJSON(w, out)
}

// SweepJSON writes a sweep as sweep.json has it: a row for each value.
func SweepJSON(w io.Writer, rows []SweepRow) error {
	out := struct {
		Schema string         `json:"schema"`
		Rows   []wireSweepRow `json:"rows"`
	}{SweepSchema, []wireSweepRow{}}
	for _, r := range rows {
		out.Rows = append(out.Rows, wireSweepRow{
			r.Parameter, r.Value, r.MaxTasks, secondsOf(r.UnderProvisioned), r.TaskHours, r.Activities, secondsOf(r.BackAtMin), r.Decided,
		})
	}
	return writeJSON(w, out)
}

func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
