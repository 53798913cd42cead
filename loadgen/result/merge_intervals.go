package result

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"time"
)

// Windows yields the parts' windows added up: those of the same interval and phase, each on its own
// part's clock, in order of the time that they begin, and none over another. Times of single events
// and requests are moved to the clock of the part that began first, so that their times of day stay true.
func (m *Merged) Windows() iter.Seq2[*Window, error] {
	return func(yield func(*Window, error) bool) {
		parts := make([]*mergePart, len(m.parts))
		for i, p := range m.parts {
			next, stop := iter.Pull2(p.Windows())
			defer stop()
			parts[i] = &mergePart{m: m, index: i, pull: next}
			if err := parts[i].advance(); err != nil {
				yield(nil, err)
				return
			}
		}
		phase := -1
		for {
			cell := int64(math.MaxInt64)
			for _, p := range parts {
				cell = min(cell, p.cell())
			}
			if cell == math.MaxInt64 {
				return
			}
			sums, err := m.sumCell(parts, cell)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, w := range sums {
				if w.Phase != phase {
					phase = w.Phase
					w.Events = append([]Event{{w.From, EventPhase, w.Name}}, w.Events...)
				}
				if !yield(w, nil) {
					return
				}
			}
		}
	}
}

// sumCell adds up what the parts have in one interval, by phase.
func (m *Merged) sumCell(parts []*mergePart, cell int64) ([]*Window, error) {
	var sums []*Window
	in := func(list []*Window, phase int) int {
		return slices.IndexFunc(list, func(w *Window) bool { return w.Phase == phase })
	}
	for _, p := range parts {
		var own []*Window // a part's phases end where the sum's may not
		for p.cell() == cell {
			if i := in(own, p.window.Phase); i >= 0 {
				own[i].follow(p.window)
			} else {
				own = append(own, p.window)
			}
			if err := p.advance(); err != nil {
				return nil, err
			}
		}
		for _, w := range own {
			if i := in(sums, w.Phase); i >= 0 {
				sums[i].join(w)
			} else {
				sums = append(sums, w)
			}
		}
	}
	for _, w := range sums {
		for i := range w.Endpoints { // in one order, whatever that of the parts was
			slices.SortFunc(w.Endpoints[i].Errors, func(a, b ErrorCount) int {
				return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Message, b.Message))
			})
		}
	}
	slices.SortFunc(sums, func(a, b *Window) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.Phase, b.Phase)) })
	return sums, nil
}

// mergePart is where the reading of a part has come to.
type mergePart struct {
	m      *Merged
	index  int
	pull   func() (*Window, error, bool)
	window *Window // nil after the last
}

// cell is the interval that the part's next window belongs to.
func (p *mergePart) cell() int64 {
	if p.window == nil {
		return math.MaxInt64
	}
	return int64(p.window.From / p.m.Meta.Interval)
}

// advance reads the next window and puts it into the terms of the sum.
func (p *mergePart) advance() error {
	w, err, ok := p.pull()
	if err != nil {
		return err
	}
	if p.window = w; !ok {
		p.window = nil
		return nil
	}
	p.place(w)
	w.Ended = w.Ended && !p.m.Final.Cut // what one part did not count, the sum does not know
	skew := p.m.skews[p.index]
	for _, examples := range [][]Example{w.Slowest, w.FailedExamples, w.Exemplars.Slowest, w.Exemplars.Failed} {
		for i := range examples {
			examples[i].At += skew
		}
	}
	moveErrors(w.Endpoints, skew)
	for i := range w.Parts {
		moveErrors(w.Parts[i].Endpoints, skew)
	}
	events := w.Events[:0]
	for _, e := range w.Events {
		if e.Type == EventPhase {
			continue // the sum has its own
		}
		e.At += skew
		if part := p.m.parts[p.index]; len(p.m.parts) > 1 && len(part.Result.MergedFrom) == 0 {
			e.Detail = p.m.label(part) + ": " + e.Detail
		}
		events = append(events, e)
	}
	w.Events = events
	return nil
}

// place puts a window, and what it counts, into the phases of the sum: the window by its time, with what was due in its
// own phase; what was due before in that earlier phase, as far as the sum has left it.
func (p *mergePart) place(w *Window) {
	phases := p.m.indices[p.index]
	before, divided := w.Phase, w.Parts
	w.Phase = phaseAt(p.m.phases, w.From)
	w.Name = p.m.Meta.Phases[w.Phase].Name
	w.Parts = nil
	for i := range divided {
		phase := w.Phase
		if divided[i].Phase != before {
			phase = min(phase, phases[divided[i].Phase])
		}
		w.part(phase).add(&divided[i])
	}
	if len(w.Parts) == 1 && w.Parts[0].Phase == w.Phase {
		w.Parts = nil // no division any more
	}
	for i := range w.Ends {
		w.Ends[i].Phase = phases[w.Ends[i].Phase]
	}
}

func moveErrors(endpoints []EndpointWindow, by time.Duration) {
	for i := range endpoints {
		for j := range endpoints[i].Errors {
			endpoints[i].Errors[j].First += by
			endpoints[i].Errors[j].Last += by
		}
	}
}
