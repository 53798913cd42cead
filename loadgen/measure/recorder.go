package measure

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// Config is what a Recorder must know of a run.
type Config struct {
	Endpoints []plan.Endpoint
	Phases    []plan.Phase
	Timeout   time.Duration // of a request: named in the message of a timeout
}

// Recorder collects samples into windows. Send, Record, Leave, Opened, Reused and Batch are safe for
// concurrent use; Collect, Stop and Close are for one goroutine, the run's. After Close nothing counts
// any more: what outlives the run, a connection that is still being made, say, may call and is not heard.
type Recorder struct {
	cfg    Config
	shards []shard

	leftMu sync.Mutex
	left   map[int]*leftCell // by the phase in which they were due

	// slowFloor is the latency that a request must exceed to be among the slowest so far.
	slowFloor atomic.Int64
	slowest   []result.Example // of the windows collected, slowest first

	failMu   sync.Mutex
	failKept map[failKey]int // examples kept so far
}

// examplesPerFailure keeps one frequent failure from crowding out a rare one.
const examplesPerFailure = 3

// interval is the length of a window.
const interval = time.Second

type failKey struct {
	endpoint int
	kind     Kind
	status   int
}

// span is the time that a window covers.
type span struct {
	from, to time.Duration
	phase    int
}

// shard is a part of the recorder with its own lock, so that workers on different processors do not wait for each other.
type shard struct {
	mu     sync.Mutex
	phases []plan.Phase
	open   []*cell // in order, without gap; never empty
	free   []*cell
	closed bool
	_      [64]byte // keeps neighbours' locks on separate cache lines
}

// New returns an empty Recorder whose first window begins at 0.
func New(cfg Config) *Recorder {
	// More shards than processors only cost memory: a lock is held for some 100 ns.
	n := 1
	for n < runtime.GOMAXPROCS(0) && n < 16 {
		n *= 2
	}
	r := &Recorder{cfg: cfg, shards: make([]shard, n), failKept: map[failKey]int{}, left: map[int]*leftCell{}}
	for i := range r.shards {
		s := &r.shards[i]
		s.phases = cfg.Phases
		s.open = []*cell{s.cell(spanFrom(0, cfg.Phases), len(cfg.Endpoints))}
	}
	return r
}

// spanFrom is the window that begins at from: it ends at the next whole second or the next phase.
func spanFrom(from time.Duration, phases []plan.Phase) span {
	to := from.Truncate(interval) + interval
	phase := phaseAt(from, phases)
	if phase+1 < len(phases) {
		to = min(to, phases[phase+1].From)
	}
	return span{from, to, phase}
}

// phaseAt is the phase that an instant lies in; of those that begin at once the last.
func phaseAt(t time.Duration, phases []plan.Phase) int {
	after, _ := slices.BinarySearchFunc(phases, t, func(p plan.Phase, t time.Duration) int {
		if p.From <= t {
			return -1
		}
		return 1
	})
	return max(0, after-1)
}

// duePhase is the phase in which a send was due that counts in a cell: the cell's own, mostly.
func (s *shard) duePhase(c *cell, due time.Duration) int {
	if due >= s.phases[c.phase].From {
		return c.phase
	}
	return phaseAt(due, s.phases)
}

// lock locks the shard for a slot: a user or a connection. The same slot always meets the same shard.
func (r *Recorder) lock(slot int) *shard {
	s := &r.shards[slot&(len(r.shards)-1)]
	s.mu.Lock()
	return s
}

// at returns the open cell for an instant, opening cells up to it. An instant whose window was
// collected already (the goroutine was held up for longer than the collector waits) counts in
// the oldest one that is open.
func (s *shard) at(t time.Duration) *cell {
	last := s.open[len(s.open)-1]
	for t >= last.to {
		last = s.cell(spanFrom(last.to, s.phases), last.endpoints)
		s.open = append(s.open, last)
	}
	i := len(s.open) - 1
	for i > 0 && t < s.open[i].from {
		i--
	}
	return s.open[i]
}

func (s *shard) cell(sp span, endpoints int) *cell {
	if n := len(s.free); n > 0 {
		c := s.free[n-1]
		s.free = s.free[:n-1]
		c.span = sp
		return c
	}
	return &cell{span: sp, endpoints: endpoints}
}

// Send counts a request as sent, and how late it was: the generator's own lag is what passed since
// the request could be sent, the wait for a slot what passed before that since it was due.
func (r *Recorder) Send(slot int, due, ready, sent time.Duration) {
	b := r.Batch(slot)
	b.Send(due, ready, sent)
	b.Close()
}

// Record counts a completed request. It keeps nothing that x points to but strings.
func (r *Recorder) Record(slot int, x *Sample) {
	b := r.Batch(slot)
	b.Record(x)
	b.Close()
}

// Opened counts a new connection to a remote address.
func (r *Recorder) Opened(slot int, at time.Duration, address string) {
	b := r.Batch(slot)
	b.Opened(at, address)
	b.Close()
}

// Reused counts a request that went out on a kept-alive connection.
func (r *Recorder) Reused(slot int, at time.Duration) {
	b := r.Batch(slot)
	b.Reused(at)
	b.Close()
}

// Batch is a part of a Recorder that is locked for several calls in a row, for whoever has many answers at
// once. Close it soon, and call nothing else for its slot before.
type Batch struct {
	r *Recorder
	s *shard
}

// Batch locks the part of a slot.
func (r *Recorder) Batch(slot int) Batch { return Batch{r, r.lock(slot)} }

// Close unlocks it.
func (b Batch) Close() { b.s.mu.Unlock() }

// Send is Recorder.Send.
func (b Batch) Send(due, ready, sent time.Duration) {
	if b.s.closed {
		return
	}
	c := b.s.at(sent)
	p := c.part(b.s.duePhase(c, due))
	p.sent++
	p.lag.add(sent - ready)
	if ready > due {
		p.wait.add(ready - due)
	}
}

// Record is Recorder.Record.
func (b Batch) Record(x *Sample) {
	if b.s.closed {
		return
	}
	c := b.s.at(x.End)
	c.record(c.part(b.s.duePhase(c, x.Due)), x)
	if latency := int64(x.corrected()); x.Kind == KindNone && latency > b.r.slowFloor.Load() {
		c.keepSlow(x, b.r.cfg.Endpoints[x.Endpoint].Name)
	}
	if x.Kind != KindNone {
		b.r.keepFailure(c, x)
	}
}

// Opened is Recorder.Opened.
func (b Batch) Opened(at time.Duration, address string) {
	if b.s.closed {
		return
	}
	c := b.s.at(at)
	c.opened++
	c.byAddress = count(c.byAddress, address)
}

// Reused is Recorder.Reused.
func (b Batch) Reused(at time.Duration) {
	if !b.s.closed {
		b.s.at(at).reused++
	}
}

// keepFailure keeps the first failures of each kind as examples.
func (r *Recorder) keepFailure(c *cell, x *Sample) {
	key := failKey{x.Endpoint, x.Kind, x.Status}
	r.failMu.Lock()
	keep := r.failKept[key] < examplesPerFailure && len(r.failKept) <= result.MaxExamples
	if keep {
		r.failKept[key]++
	}
	r.failMu.Unlock()
	if !keep {
		return
	}
	c.failed = append(c.failed, result.Example{
		At: x.Sent, Endpoint: r.cfg.Endpoints[x.Endpoint].Name, Status: x.Status, Latency: x.End - x.Sent,
		ServedBy: x.servedBy(), Error: r.message(x.Kind, x.Status), Retried: x.Retries > 0,
	})
}

func (r *Recorder) message(k Kind, status int) string {
	if k == KindTimeout {
		return "timeout after " + plan.Duration(r.cfg.Timeout).String()
	}
	return k.Message(status)
}

// Stop says that sending ended at an instant before the plan's end: what follows is the drain.
func (r *Recorder) Stop(at time.Duration) {
	drain := len(r.cfg.Phases) - 1
	if at >= r.cfg.Phases[drain].From {
		return
	}
	var phases []plan.Phase
	for _, p := range r.cfg.Phases {
		p.From = min(p.From, at)
		phases = append(phases, p)
	}
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		s.phases = phases
		// The window under way is cut in two; those opened beyond it belong to the drain whole.
		for j := 0; j < len(s.open); j++ {
			switch c := s.open[j]; {
			case c.from >= at:
				c.phase = drain
			case c.to > at:
				rest := s.cell(span{at, c.to, drain}, c.endpoints)
				c.to = at
				s.open = slices.Insert(s.open, j+1, rest)
			}
		}
		s.mu.Unlock()
	}
}

// Collect returns the windows that ended at or before an instant, in order. Call it a little later
// than that instant, so that what ended just before it has been recorded.
func (r *Recorder) Collect(until time.Duration) []*result.Window {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		s.at(until) // every shard opens the same windows, also one that had nothing to record
		s.mu.Unlock()
	}
	return r.collect(until)
}

func (r *Recorder) collect(until time.Duration) []*result.Window {
	parts := map[span][]*cell{}
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		n := 0
		for n < len(s.open) && s.open[n].to <= until {
			parts[s.open[n].span] = append(parts[s.open[n].span], s.open[n])
			n++
		}
		s.open = slices.Delete(s.open, 0, n)
		s.mu.Unlock()
	}

	windows := make([]*result.Window, 0, len(parts))
	for sp, cells := range parts {
		w := &result.Window{From: sp.from, To: sp.to, Phase: sp.phase, Name: r.cfg.Phases[sp.phase].Name}
		r.merge(w, cells)
		windows = append(windows, w)
	}
	slices.SortFunc(windows, func(a, b *result.Window) int { return int(a.From - b.From) })
	for _, w := range windows {
		r.admitSlow(w)
	}
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		for _, cells := range parts {
			if i < len(cells) {
				s.free = append(s.free, cells[i])
			}
		}
		s.mu.Unlock()
	}
	return windows
}

// Close returns all windows that are left; the last one ends at the given instant, the end of the run, may
// have no length, and holds what no answer ended.
func (r *Recorder) Close(end time.Duration) []*result.Window {
	for i := range r.shards {
		s := &r.shards[i]
		s.mu.Lock()
		s.at(end)
		last := s.open[len(s.open)-1]
		last.to = max(end, last.from)
		s.closed = true
		s.mu.Unlock()
	}
	windows := r.collect(end)
	if n := len(windows); n > 0 {
		r.addLeft(windows[n-1])
	}
	return windows
}

// admitSlow keeps of a window's slow requests those that are among the slowest of the run so far.
func (r *Recorder) admitSlow(w *result.Window) {
	var admitted []result.Example
	for _, x := range w.Slowest {
		if len(r.slowest) == result.MaxExamples && x.Latency <= r.slowest[result.MaxExamples-1].Latency {
			continue
		}
		admitted = append(admitted, x)
		at, _ := slices.BinarySearchFunc(r.slowest, x, func(a, b result.Example) int { return int(b.Latency - a.Latency) })
		r.slowest = slices.Insert(r.slowest, at, x)
		r.slowest = r.slowest[:min(len(r.slowest), result.MaxExamples)]
	}
	w.Slowest = admitted
	if len(r.slowest) == result.MaxExamples {
		r.slowFloor.Store(int64(r.slowest[result.MaxExamples-1].Latency))
	}
}
