package measure

import (
	"runtime"
	"slices"
	"sync"
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
//
// Workers write into journals, of which there is one for each processor. A full journal is counted
// into the cells, of which there is one set, whatever the number of processors: buckets are what
// takes the memory, and a lock that is taken once in journalSize requests is a lock nobody waits for.
type Recorder struct {
	cfg      Config
	journals []journal

	mu     sync.Mutex // of what follows; taken after a journal's
	phases []plan.Phase
	open   []*cell // in order, without gap; never empty
	free   []*cell
	pages  pagePool

	all, traced keeper // of examples: among all requests, and among those with a trace

	leftMu sync.Mutex
	left   map[int]*leftCell // by the phase in which they were due
}

// interval is the length of a window.
const interval = time.Second

// span is the time that a window covers.
type span struct {
	from, to time.Duration
	phase    int
}

// New returns an empty Recorder whose first window begins at 0.
func New(cfg Config) *Recorder {
	n := 1
	for n < runtime.GOMAXPROCS(0) && n < 64 { // a bench has a loop for each, and no two are to share a journal
		n *= 2
	}
	r := &Recorder{
		cfg: cfg, journals: make([]journal, n), phases: cfg.Phases,
		all: newKeeper(), traced: newKeeper(), left: map[int]*leftCell{},
	}
	for i := range r.journals {
		r.journals[i].init()
	}
	r.open = []*cell{r.cell(spanFrom(0, r.phases))}
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
func (r *Recorder) duePhase(c *cell, due time.Duration) int {
	if due >= r.phases[c.phase].From {
		return c.phase
	}
	return phaseAt(due, r.phases)
}

// at returns the open cell for an instant, opening cells up to it. An instant whose window was
// collected already (the goroutine was held up for longer than the collector waits) counts in
// the oldest one that is open.
func (r *Recorder) at(t time.Duration) *cell {
	last := r.open[len(r.open)-1]
	for t >= last.to {
		last = r.cell(spanFrom(last.to, r.phases))
		r.open = append(r.open, last)
	}
	i := len(r.open) - 1
	for i > 0 && t < r.open[i].from {
		i--
	}
	return r.open[i]
}

func (r *Recorder) cell(sp span) *cell {
	if n := len(r.free); n > 0 {
		c := r.free[n-1]
		r.free = r.free[:n-1]
		c.span = sp
		return c
	}
	return &cell{span: sp, endpoints: len(r.cfg.Endpoints), pages: &r.pages}
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

func (r *Recorder) message(k Kind, status int) string {
	if k == KindTimeout {
		return "timeout after " + plan.Duration(r.cfg.Timeout).String()
	}
	return k.Message(status)
}

// Stop says that sending ended at an instant before the plan's end: what follows is the drain.
func (r *Recorder) Stop(at time.Duration) {
	drain := len(r.phases) - 1
	if at >= r.phases[drain].From {
		return
	}
	var phases []plan.Phase
	for _, p := range r.phases {
		p.From = min(p.From, at)
		phases = append(phases, p)
	}
	r.flush(false)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut(at, phases)
}

// Revise says that the phases are others from an instant on, until which they stay: the plan was edited. The instant is
// not in the past.
func (r *Recorder) Revise(at time.Duration, phases []plan.Phase) {
	r.flush(false)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cut(at, phases)
}

// cut takes up other phases from an instant on. The window under way is cut in two; what was opened beyond it is of the
// phase that it begins in now, whole.
func (r *Recorder) cut(at time.Duration, phases []plan.Phase) {
	r.phases = phases
	for i := 0; i < len(r.open); i++ {
		isLast := i == len(r.open)-1
		switch c := r.open[i]; {
		case c.from >= at && isLast:
			c.span = spanFrom(c.from, phases)
		case c.from >= at:
			c.phase = phaseAt(c.from, phases)
		case c.to > at:
			rest := r.cell(span{at, c.to, phaseAt(at, phases)})
			if isLast {
				rest.span = spanFrom(at, phases)
			}
			c.to = at
			r.open = slices.Insert(r.open, i+1, rest)
		}
	}
}

// Collect returns the windows that ended at or before an instant, in order. Call it a little later
// than that instant, so that what ended just before it has been recorded.
func (r *Recorder) Collect(until time.Duration) []*result.Window {
	r.flush(false)
	r.mu.Lock()
	r.at(until)
	r.mu.Unlock()
	return r.collect(until)
}

func (r *Recorder) collect(until time.Duration) []*result.Window {
	r.mu.Lock()
	n := 0
	for n < len(r.open) && r.open[n].to <= until {
		n++
	}
	ended, phases := slices.Clone(r.open[:n]), r.phases
	r.open = slices.Delete(r.open, 0, n)
	r.mu.Unlock()

	var windows []*result.Window
	var spent pagePool
	for _, c := range ended {
		w := &result.Window{From: c.from, To: c.to, Phase: c.phase, Name: phases[c.phase].Name}
		r.take(w, c, &spent)
		windows = append(windows, w)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free = append(r.free, ended...)
	r.pages.free = append(r.pages.free, spent.free...)
	r.all.rise()
	r.traced.rise()
	return windows
}

// Close returns all windows that are left; the last one ends at the given instant, the end of the run, may
// have no length, and holds what no answer ended.
func (r *Recorder) Close(end time.Duration) []*result.Window {
	r.flush(true)
	r.mu.Lock()
	r.at(end)
	last := r.open[len(r.open)-1]
	last.to = max(end, last.from)
	r.mu.Unlock()
	windows := r.collect(end)
	if n := len(windows); n > 0 {
		r.addLeft(windows[n-1])
	}
	return windows
}
