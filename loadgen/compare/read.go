package compare

import (
	"fmt"
	"math"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// Read takes from a result what a comparison needs. A run in which no request completed is refused: there is nothing
// to compare.
func Read(o *result.Opened) (*Run, error) {
	reading := NewReading(&o.Meta)
	for w, err := range o.Windows() {
		if err != nil {
			return nil, err
		}
		reading.Window(w)
	}
	return reading.Run(o.Dir, o.Result, o.Cut)
}

// Reading is a Run in the making. Read and it are the only places that know how results are kept.
type Reading struct {
	run          Run
	last         map[int]int // the last block of each phase
	requests     int64
	cpu, seconds float64
}

// NewReading begins to read the windows of a run.
func NewReading(meta *result.Meta) *Reading {
	r := &Reading{run: Run{Plan: meta.Plan}, last: map[int]int{}}
	for _, e := range meta.Endpoints {
		r.run.EndpointsOf = append(r.run.EndpointsOf, e.Name)
	}
	return r
}

// Window adds a window, which stays as it is. Windows come in order.
func (r *Reading) Window(w *result.Window) {
	run, last := &r.run, r.last
	if !plan.Idle(w.Name) && w.To > w.From {
		last[w.Phase] = len(run.Blocks)
		// One part more than there are endpoints: what was never sent belongs to none of them.
		run.Blocks = append(run.Blocks, Block{Phase: w.Name, Span: w.Phase, Seconds: w.Seconds(), Parts: make([]Part, len(run.EndpointsOf)+1)})
		for i := range w.Endpoints {
			run.Blocks[last[w.Phase]].Parts[w.Endpoints[i].Endpoint].Completed = w.Endpoints[i].Requests
		}
		for _, h := range w.Health {
			if h.CPU.Known() {
				r.cpu, r.seconds = r.cpu+float64(h.CPU), r.seconds+1
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
			r.requests += e.Requests
		}
	}
	for i := range w.Ends {
		e := &w.Ends[i]
		if at, known := last[e.Phase]; known {
			run.Blocks[at].Parts[len(run.EndpointsOf)].add(&result.EndpointWindow{Unanswered: e.UnansweredAges})
		}
	}
}

// Run is what was read, of a result in a directory. Cut says that its process ended before the run did.
func (r *Reading) Run(dir string, of *result.Result, cut bool) (*Run, error) {
	if r.requests == 0 {
		return nil, fmt.Errorf("%s: no request completed in it: nothing to compare", dir)
	}
	run := r.run
	run.Dir, run.ID, run.Schema, run.Started, run.Tags, run.Generator = dir, of.ID, of.Schema, of.StartedAt, of.Tags, of.Generator
	run.Validity, run.Reasons = of.Verdict.Validity, of.Verdict.Reasons
	run.Cut, run.StoppedBy, run.Merged, run.CPU = cut, of.StoppedBy, len(of.MergedFrom) > 0, math.NaN()
	if limit := of.Generator.CPULimit; r.seconds > 0 && limit.Known() {
		run.CPU = 1000 * r.cpu * float64(limit) / (float64(r.requests) * r.seconds / run.seconds())
	}
	return &run, nil
}

// add adds what was due: answers, and at their age what had none in the whole stop timeout, which is a failure. What was
// cut before says nothing of the service.
func (p *Part) add(e *result.EndpointWindow) {
	unanswered := e.Unanswered.Count()
	p.Requests += e.Requests + unanswered
	p.Answered += e.Requests
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
