package measure

import (
	"time"

	"scalableappbackend/loadgen/result"
)

// Reason is why a send ended without an answer.
type Reason uint8

const (
	// Unanswered was under way, or due and held back, when the whole stop timeout had passed.
	Unanswered Reason = iota
	// Cut ended sooner: by a second signal or a stop timeout of 0, or its user left by plan.
	Cut
	// OwnDrop had a free user or slot, and was the generator's to send.
	OwnDrop
)

// NeverSent is Left.Sent of a send that never left.
const NeverSent = time.Duration(-1)

// Left is a send that was due before the end and that no answer ended. Times are on the run's clock.
type Left struct {
	Endpoint int // -1 of one that never left: nobody chose what it would ask for
	Due      time.Duration
	Ready    time.Duration // of one that left, as in Sample
	Sent     time.Duration // NeverSent when it did not leave
	At       time.Duration // when nobody waited for it any longer
	Retries  int           // sends by the transport beyond the first
	Reason   Reason
}

// leftCell counts what is left of what was due in one phase. There may be as many as a queue holds, but only once,
// at the end of a run.
type leftCell struct {
	end       result.End
	retried   int64
	endpoints map[int]*result.EndpointWindow
}

// Leave counts a send that no answer ended. It stands in the last window, by the phase in which it was due.
func (r *Recorder) Leave(l *Left) {
	r.mu.Lock()
	phases := r.phases
	r.mu.Unlock()
	phase := phaseAt(l.Due, phases[:max(1, len(phases)-1)]) // what is due is due before the drain
	r.leftMu.Lock()
	defer r.leftMu.Unlock()
	if r.left == nil {
		return // closed
	}
	c := r.left[phase]
	if c == nil {
		c = &leftCell{end: result.End{Phase: phase}, endpoints: map[int]*result.EndpointWindow{}}
		r.left[phase] = c
	}
	count := map[Reason]*int64{Unanswered: &c.end.Unanswered, Cut: &c.end.Cut, OwnDrop: &c.end.OwnDrops}[l.Reason]
	*count++
	if l.Sent == NeverSent {
		c.end.Dropped++
		switch l.Reason {
		case Unanswered:
			record(&c.end.UnansweredAges, l.At-l.Due)
		case Cut:
			record(&c.end.CutAges, l.At-l.Due)
		}
		return
	}
	e := c.endpoints[l.Endpoint]
	if e == nil {
		e = &result.EndpointWindow{Endpoint: l.Endpoint}
		c.endpoints[l.Endpoint] = e
	}
	e.Abandoned++
	e.Retried += int64(l.Retries)
	c.retried += int64(l.Retries)
	raw := l.At - l.Sent
	corrected := l.Ready - l.Due + raw
	if l.Reason == Unanswered {
		record(&e.Unanswered, corrected)
		record(&e.UnansweredRaw, raw)
	} else {
		record(&e.Cut, corrected)
		record(&e.CutRaw, raw)
	}
}

func record(h **result.Histogram, d time.Duration) {
	if *h == nil {
		*h = &result.Histogram{}
	}
	(*h).Record(d)
}

// addLeft puts into the last window what no answer ended.
func (r *Recorder) addLeft(w *result.Window) {
	r.leftMu.Lock()
	defer r.leftMu.Unlock()
	w.Ended = true
	for phase, c := range r.left {
		p := result.Part{Phase: phase}
		for _, e := range c.endpoints {
			p.Endpoints = append(p.Endpoints, *e)
		}
		w.AddPart(&p)
		w.AddEnd(&c.end)
		w.Connections.Retried += c.retried
	}
	r.left = nil
}
