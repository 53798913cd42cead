package pair

import (
	"math/rand/v2"
	"slices"
	"time"

	"scalableappbackend/loadgen"
	"scalableappbackend/loadgen/compare"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// order is the stream of which the order within pairs is drawn.
func order(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x70616972)) }

// half is one side's result in the making: windows on the side's own clock, which stands while the other has its turn.
type half struct {
	meta   result.Meta
	sum    *loadgen.Assembly
	read   *compare.Reading
	held   *result.Window // the last one, until the next begins: answers that come while the clock stands are added to it
	phase  int            // of the last window; -1 before the first
	events []result.Event // for the next window

	now                     time.Duration // where the clock stands
	underWay, sent, offered int64
	ends                    []result.End
	round                   *result.Histogram // corrected latency of the round under way
}

// open begins a window for one of the run's that lies in a block of this side.
func (h *half) open(w *result.Window, b block) {
	h.flush()
	from := b.at + w.From - b.from
	h.held = &result.Window{
		From: from, To: from + w.To - w.From, Phase: b.phase, Name: h.meta.Phases[b.phase].Name,
		Users: w.Users, Offered: w.Offered, Clamped: w.Clamped, Connections: w.Connections, ServedBy: w.ServedBy,
		Health: w.Health, Standstill: w.Standstill,
	}
	if b.phase != h.phase {
		h.phase, h.round = b.phase, &result.Histogram{}
		h.held.Events = append(h.held.Events, result.Event{At: from, Type: result.EventPhase, Detail: h.held.Name})
	}
	for _, e := range h.events {
		e.At = from
		h.held.Events = append(h.held.Events, e)
	}
	h.events = nil
}

// flush hands on the window that was held.
func (h *half) flush() {
	w := h.held
	if w == nil {
		return
	}
	h.held, h.now = nil, w.To
	h.underWay += w.Sent
	for i := range w.Endpoints {
		h.underWay -= w.Endpoints[i].Requests + w.Endpoints[i].Abandoned
	}
	w.InFlight = int(max(0, h.underWay))
	h.sent, h.offered = h.sent+w.Sent, h.offered+w.Offered
	h.hand(w)
}

func (h *half) hand(w *result.Window) {
	h.sum.Window(w)
	h.read.Window(w)
}

// add adds what was due in a phase of this side; clock tells its times.
func (h *half) add(p *result.Part, phase int, clock func(time.Duration) time.Duration) {
	if h.held == nil {
		return // nothing is due to a side before its first block
	}
	moved := *p
	moved.Phase, moved.Endpoints = phase, slices.Clone(p.Endpoints)
	for i := range moved.Endpoints {
		e := &moved.Endpoints[i]
		e.Errors = slices.Clone(e.Errors)
		for j := range e.Errors {
			e.Errors[j].First, e.Errors[j].Last = clock(e.Errors[j].First), clock(e.Errors[j].Last)
		}
		if phase == h.phase {
			h.round.Merge(e.Corrected)
		}
	}
	h.held.AddPart(&moved)
}

// finish hands on the rest: the drain, which has no length on the side's clock, and what no answer ended.
func (h *half) finish(final result.Final) result.Final {
	h.flush()
	last := &result.Window{Phase: len(h.meta.Phases) - 1, Name: plan.Drain, Ended: true}
	last.From, last.To = h.now, h.now
	var dropped int64
	for i := range h.ends {
		dropped += h.ends[i].Dropped
		last.AddEnd(&h.ends[i])
	}
	last.Offered = max(0, h.sent+dropped-h.offered)
	h.hand(last)
	return final
}

// splitter is the sink of one start: it shares out the run's windows between the sides.
type splitter struct {
	result.NopSink
	halves *[2]*half
	blocks []block
	ready  func(*result.Meta) error // makes the halves; before the first window
	told   func()                   // a round has ended, but for its last answers
}

// Start is before the start's first window.
func (s *splitter) Start(meta *result.Meta) error { return s.ready(meta) }

// Window shares out a window.
func (s *splitter) Window(w *result.Window) error {
	owner := s.blocks[min(w.Phase, len(s.blocks)-1)]
	h := s.halves[owner.side]
	if w.Phase < len(s.blocks) {
		h.open(w, owner)
	} else if h.held != nil { // the drain: what is told without a phase is of the last block
		h.held.Clamped += w.Clamped
		h.held.Standstill = h.held.Standstill.With(w.Standstill)
		h.held.Connections, h.held.ServedBy = together(h.held.Connections, w.Connections), sum(h.held.ServedBy, w.ServedBy)
	}
	for p := range w.ByDue {
		if p.Phase < len(s.blocks) {
			b := s.blocks[p.Phase]
			s.halves[b.side].add(p, b.phase, s.clock(b.side))
		}
	}
	for _, e := range w.Ends {
		b := s.blocks[min(e.Phase, len(s.blocks)-1)]
		e.Phase = b.phase
		s.halves[b.side].ends = append(s.halves[b.side].ends, e)
	}
	s.share(w.Slowest, func(held *result.Window) *[]result.Example { return &held.Slowest })
	s.share(w.FailedExamples, func(held *result.Window) *[]result.Example { return &held.FailedExamples })
	s.share(w.Exemplars.Slowest, func(held *result.Window) *[]result.Example { return &held.Exemplars.Slowest })
	s.share(w.Exemplars.Failed, func(held *result.Window) *[]result.Example { return &held.Exemplars.Failed })
	clock := s.clock(owner.side)
	for _, e := range w.Events {
		if e.Type != result.EventPhase && h.held != nil {
			e.At = clock(e.At)
			h.held.Events = append(h.held.Events, e)
		}
	}
	if i := w.Phase; i < len(s.blocks) && w.To >= owner.from+owner.length && (i+1 == len(s.blocks) || s.blocks[i+1].phase != owner.phase) {
		s.told()
	}
	return nil
}

// share gives each side those examples that were sent to it.
func (s *splitter) share(examples []result.Example, in func(held *result.Window) *[]result.Example) {
	for _, x := range examples {
		if side, at := s.at(x.At); side.held != nil {
			x.At = at
			list := in(side.held)
			*list = append(*list, x)
		}
	}
}

// clock is that of a side: it stands in the other's blocks.
func (s *splitter) clock(side int) func(time.Duration) time.Duration {
	return func(t time.Duration) time.Duration {
		var at time.Duration
		for _, b := range s.blocks {
			if b.from > t {
				break
			}
			if b.side == side {
				at = b.at + min(t-b.from, b.length)
			}
		}
		return at
	}
}

// at is whose block an instant lies in, and when that is on its clock.
func (s *splitter) at(t time.Duration) (*half, time.Duration) {
	side := s.blocks[0].side
	for _, b := range s.blocks {
		if b.from <= t {
			side = b.side
		}
	}
	return s.halves[side], s.clock(side)(t)
}

func together(a, b result.Connections) result.Connections {
	return result.Connections{Opened: a.Opened + b.Opened, Reused: a.Reused + b.Reused, Retried: a.Retried + b.Retried, ByAddress: sum(a.ByAddress, b.ByAddress)}
}

func sum(a, b map[string]int64) map[string]int64 {
	if len(a)+len(b) == 0 {
		return nil
	}
	all := map[string]int64{}
	for _, m := range []map[string]int64{a, b} {
		for name, n := range m {
			all[name] += n
		}
	}
	return all
}
