package measure

import (
	"sync"
	"time"
)

// journalSize is how many notes a journal holds before they are counted: enough for the lock of the cells to be
// taken rarely, few enough for whoever counts them to be held up for some microseconds only.
const journalSize = 64

// patience is how many times its size a journal grows before it waits for the cells, which somebody else is counting into.
const patience = 4

// journal takes down what workers of one processor record, until it is counted.
type journal struct {
	mu      sync.Mutex
	closed  bool
	sends   []send
	samples []Sample
	conns   []conn
	_       [64]byte // keeps neighbours' locks on separate cache lines
}

// send is a request that left.
type send struct{ due, ready, sent time.Duration }

// conn is a connection that was opened, to an address, or used again.
type conn struct {
	at      time.Duration
	address string
	reused  bool
}

func (j *journal) init() {
	const most = patience * journalSize
	j.sends, j.samples, j.conns = make([]send, 0, most), make([]Sample, 0, most), make([]conn, 0, most)
}

// Batch is a journal that is locked for several calls in a row, for whoever has many answers at
// once. Close it soon, and call nothing else for its slot before.
type Batch struct {
	r *Recorder
	j *journal
}

// Batch locks the journal of a slot: a user or a connection. The same slot always meets the same journal.
func (r *Recorder) Batch(slot int) Batch {
	j := &r.journals[slot&(len(r.journals)-1)]
	j.mu.Lock()
	return Batch{r, j}
}

// Close unlocks it.
func (b Batch) Close() { b.j.mu.Unlock() }

// Send is Recorder.Send.
func (b Batch) Send(due, ready, sent time.Duration) {
	if !b.j.closed {
		b.j.sends = append(b.j.sends, send{due, ready, sent})
		b.noted(len(b.j.sends))
	}
}

// Record is Recorder.Record.
func (b Batch) Record(x *Sample) {
	if !b.j.closed {
		b.j.samples = append(b.j.samples, *x)
		b.noted(len(b.j.samples))
	}
}

// Opened is Recorder.Opened.
func (b Batch) Opened(at time.Duration, address string) {
	if !b.j.closed {
		b.j.conns = append(b.j.conns, conn{at: at, address: address})
		b.noted(len(b.j.conns))
	}
}

// Reused is Recorder.Reused.
func (b Batch) Reused(at time.Duration) {
	if !b.j.closed {
		b.j.conns = append(b.j.conns, conn{at: at, reused: true})
		b.noted(len(b.j.conns))
	}
}

// noted counts the journal when it has n notes of a kind and that is enough.
func (b Batch) noted(n int) {
	if n < journalSize {
		return
	}
	if n == patience*journalSize {
		b.r.mu.Lock()
	} else if !b.r.mu.TryLock() {
		return // somebody else counts: later will do
	}
	b.r.count(b.j)
	b.r.mu.Unlock()
}

// flush counts all journals, and closes them if that is the last.
func (r *Recorder) flush(last bool) {
	for i := range r.journals {
		j := &r.journals[i]
		j.mu.Lock()
		r.mu.Lock()
		r.count(j)
		r.mu.Unlock()
		j.closed = last
		j.mu.Unlock()
	}
}

// count moves what a journal holds into the cells. Both are locked.
func (r *Recorder) count(j *journal) {
	for i := range j.sends {
		x := &j.sends[i]
		c := r.at(x.sent)
		p := c.part(r.duePhase(c, x.due))
		p.sent++
		p.lag.add(x.sent-x.ready, &r.pages)
		if x.ready > x.due {
			p.wait.add(x.ready-x.due, &r.pages)
		}
	}
	for i := range j.samples {
		x := &j.samples[i]
		c := r.at(x.End)
		c.record(c.part(r.duePhase(c, x.Due)), x)
		r.all.keep(r, &c.all, x)
		if !x.Trace.IsZero() {
			r.traced.keep(r, &c.traced, x)
		}
	}
	for i := range j.conns {
		x := &j.conns[i]
		c := r.at(x.at)
		if x.reused {
			c.reused++
			continue
		}
		c.opened++
		c.byAddress = count(c.byAddress, x.address)
	}
	j.sends, j.samples, j.conns = j.sends[:0], j.samples[:0], j.conns[:0]
}
