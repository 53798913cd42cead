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
	last := map[int]int{} // the last block of each phase
	for w, err := range o.Windows() {
		if err != nil {
			return nil, err
		}
		if w.Name != plan.Drain && w.To > w.From {
			last[w.Phase] = len(run.Blocks)
			// One part more than there are endpoints: what was never sent belongs to none of them.
			run.Blocks = append(run.Blocks, Block{Phase: w.Name, Span: w.Phase, Seconds: w.Seconds(), Parts: make([]Part, len(run.EndpointsOf)+1)})
			for i := range w.Endpoints {
				run.Blocks[last[w.Phase]].Parts[w.Endpoints[i].Endpoint].Completed = w.Endpoints[i].Requests
			}
			for _, h := range w.Health {
				if h.CPU.Known() {
					cpu, seconds = cpu+float64(h.CPU), seconds+1
				}
			}
		}
		// What is answered later, or never, counts in the last block of the phase in which it was due.
		for p := range w.ByDue {
			at, known := last[p.Phase]
			if !known {
				continue // due in no time that was kept
			}
			for i := range p.Endpoints {
				e := &p.Endpoints[i]
				run.Blocks[at].Parts[e.Endpoint].add(e)
				requests += e.Requests
			}
		}
		for i := range w.Ends {
			e := &w.Ends[i]
			if at, known := last[e.Phase]; known {
				run.Blocks[at].Parts[len(run.EndpointsOf)].add(&result.EndpointWindow{Unanswered: e.UnansweredAges})
			}
		}
	}
	if requests == 0 {
		return nil, fmt.Errorf("%s: no request completed in it: nothing to compare", o.Dir)
	}
	if limit := r.Generator.CPULimit; seconds > 0 && limit.Known() {
		run.CPU = 1000 * cpu * float64(limit) / (float64(requests) * seconds / run.seconds())
	}
	return run, nil
}

// add adds what was due: answers, and at their age what had none in the whole stop timeout, which is a failure. What was
// cut before says nothing of the service.
func (p *Part) add(e *result.EndpointWindow) {
	unanswered := e.Unanswered.Count()
	p.Requests += e.Requests + unanswered
	p.Failures += e.Failures + unanswered
	if e.Corrected.Count()+unanswered > 0 {
		p.Corrected = result.Sum(p.Corrected, e.Corrected, e.Unanswered)
	}
}

func (r *Run) seconds() (s float64) {
	for i := range r.Blocks {
		s += r.Blocks[i].Seconds
	}
	return s
}

func (r *Run) source() Source { return Source{r.Dir, r.ID, r.Started, r.Tags} }
