package compare

import (
	"fmt"
	"math"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// Read takes from a result what a comparison needs. It is the only place that knows how results are
// kept. A run in which no request completed is refused: there is nothing to compare.
func Read(o *result.Opened) (*Run, error) {
	r := o.Result
	run := &Run{
		Dir: o.Dir, ID: r.ID, Schema: r.Schema, Started: r.StartedAt, Tags: r.Tags, Plan: o.Meta.Plan, Generator: r.Generator,
		Validity: r.Verdict.Validity, Reasons: r.Verdict.Reasons, Cut: o.Cut, StoppedBy: r.StoppedBy, Merged: len(r.MergedFrom) > 0, CPU: math.NaN(),
	}
	for _, e := range o.Meta.Endpoints {
		run.EndpointsOf = append(run.EndpointsOf, e.Name)
	}
	var requests int64
	var cpu, seconds float64
	for w, err := range o.Windows() {
		if err != nil {
			return nil, err
		}
		if w.Name == plan.Drain || w.To <= w.From {
			continue
		}
		b := Block{Phase: w.Name, Seconds: w.Seconds(), Parts: make([]Part, len(run.EndpointsOf))}
		for i := range w.Endpoints {
			e := &w.Endpoints[i]
			b.Parts[e.Endpoint] = Part{Requests: e.Requests, Failures: e.Failures, Corrected: e.Corrected}
			requests += e.Requests
		}
		for _, h := range w.Health {
			if h.CPU.Known() {
				cpu, seconds = cpu+float64(h.CPU), seconds+1
			}
		}
		run.Blocks = append(run.Blocks, b)
	}
	if requests == 0 {
		return nil, fmt.Errorf("%s: no request completed in it: nothing to compare", o.Dir)
	}
	if limit := r.Generator.CPULimit; seconds > 0 && limit.Known() {
		run.CPU = 1000 * cpu * float64(limit) / (float64(requests) * seconds / run.seconds())
	}
	return run, nil
}

func (r *Run) seconds() (s float64) {
	for i := range r.Blocks {
		s += r.Blocks[i].Seconds
	}
	return s
}

func (r *Run) source() Source { return Source{r.Dir, r.ID, r.Started, r.Tags} }
