package measure

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"scalableappbackend/loadgen/result"
)

// cell is one window as it is counted. Its lock is the recorder's.
type cell struct {
	span
	endpoints int // of the plan
	pages     *pagePool
	parts     []*partCell
	idle      []*partCell // of the windows before, for their memory
	clamped   int64

	opened, reused, retried int64
	byAddress, servedBy     map[string]int64

	all, traced examples
}

// examples are requests of a window worth showing.
type examples struct{ slow, failed []result.Example }

// partCell is what of a cell was due in one phase.
type partCell struct {
	phase     int
	sent      int64
	lag, wait counts
	endpoints []endpointCell
}

// part returns the part of a phase. The phase of the cell itself, which nearly all is of, is found first.
func (c *cell) part(phase int) *partCell {
	for _, p := range c.parts {
		if p.phase == phase {
			return p
		}
	}
	var p *partCell
	if n := len(c.idle); n > 0 {
		p, c.idle = c.idle[n-1], c.idle[:n-1]
	} else {
		p = &partCell{endpoints: make([]endpointCell, c.endpoints)}
	}
	p.phase = phase
	c.parts = append(c.parts, p)
	return p
}

// endpointCell counts as result.EndpointWindow does, in the forms that are cheap to count in.
type endpointCell struct {
	Requests, Failures, Retried             int64
	BytesIn, BytesOut, Truncated, Redirects int64

	statuses []statusCount // few: a scan beats a map
	errors   []errorCount

	raw, corrected, failed, firstByte, connect counts
}

type statusCount struct {
	code int
	n    int64
}

type errorCount struct {
	kind        Kind
	status      int
	n           int64
	first, last time.Duration
}

func (c *cell) record(p *partCell, x *Sample) {
	e := &p.endpoints[x.Endpoint]
	e.Requests++
	e.BytesIn += x.BytesIn
	e.BytesOut += x.BytesOut
	e.Redirects += int64(x.Redirects)
	if x.Truncated {
		e.Truncated++
	}
	if x.Retries > 0 {
		e.Retried += int64(x.Retries)
		c.retried += int64(x.Retries)
	}
	if x.Status != 0 || x.Kind == KindStatus { // somebody may answer with 000
		e.addStatus(x.Status)
	}
	if x.ServedBy != "" {
		c.servedBy = count(c.servedBy, x.servedBy())
	}
	if x.Connect > 0 {
		e.connect.add(x.Connect, c.pages)
	}

	if x.Kind != KindNone {
		e.Failures++
		e.addError(x.Kind, x.Status, x.End)
		c.clamp(e.failed.add(x.End-x.Sent, c.pages))
		return
	}
	c.clamp(e.raw.add(x.End-x.Sent, c.pages))
	c.clamp(e.corrected.add(x.corrected(), c.pages))
	if x.FirstByte > 0 {
		e.firstByte.add(x.FirstByte, c.pages)
	}
}

func (c *cell) clamp(clamped bool) {
	if clamped {
		c.clamped++
	}
}

func (e *endpointCell) addStatus(code int) {
	for i := range e.statuses {
		if e.statuses[i].code == code {
			e.statuses[i].n++
			return
		}
	}
	e.statuses = append(e.statuses, statusCount{code, 1})
}

func (e *endpointCell) addError(kind Kind, status int, at time.Duration) {
	if kind != KindStatus {
		status = 0
	}
	for i := range e.errors {
		x := &e.errors[i]
		if x.kind == kind && x.status == status {
			x.n++
			x.first, x.last = min(x.first, at), max(x.last, at)
			return
		}
	}
	e.errors = append(e.errors, errorCount{kind, status, 1, at, at})
}

// keepSlow keeps the slowest of a window, at most as many as a result shows.
func (c *examples) keepSlow(x *Sample, endpoint string) {
	latency := x.corrected()
	at := len(c.slow)
	if at == result.MaxExamples {
		at = 0
		for i := range c.slow {
			if c.slow[i].Latency < c.slow[at].Latency {
				at = i
			}
		}
		if latency <= c.slow[at].Latency {
			return
		}
	} else {
		c.slow = append(c.slow, result.Example{})
	}
	c.slow[at] = result.Example{At: x.Sent, Endpoint: endpoint, Status: x.Status, Latency: latency, ServedBy: x.servedBy(), Retried: x.Retries > 0, TraceID: x.Trace.String()}
}

// count adds one to a name, or to the other names when there are too many names already.
func count(m map[string]int64, name string) map[string]int64 {
	if m == nil {
		m = map[string]int64{}
	}
	if _, known := m[name]; !known && len(m) >= result.MaxNames {
		name = result.OtherName
	}
	m[name]++
	return m
}

// take moves what a cell has counted into its window, and leaves it empty for reuse.
func (r *Recorder) take(w *result.Window, c *cell, spent *pagePool) {
	w.Clamped = c.clamped
	w.Connections.Opened, w.Connections.Reused, w.Connections.Retried = c.opened, c.reused, c.retried
	w.Connections.ByAddress, w.ServedBy = c.byAddress, maps.Clone(c.servedBy)
	w.Slowest, w.FailedExamples = r.all.take(&c.all)
	w.Exemplars.Slowest, w.Exemplars.Failed = r.traced.take(&c.traced)
	slices.SortFunc(c.parts, func(a, b *partCell) int { return cmp.Compare(a.phase, b.phase) })
	for _, part := range c.parts {
		if p := r.part(part, spent); p.Sent > 0 || len(p.Endpoints) > 0 {
			w.Parts = append(w.Parts, p)
		}
	}
	c.clear()
	w.SumUp()
}

func (r *Recorder) part(p *partCell, spent *pagePool) result.Part {
	out := result.Part{Phase: p.phase, Sent: p.sent, Lag: p.lag.histogram(spent), SlotWait: p.wait.histogram(spent)}
	for i := range p.endpoints {
		if e := &p.endpoints[i]; e.Requests > 0 {
			out.Endpoints = append(out.Endpoints, r.endpoint(i, e, spent))
		}
	}
	return out
}

func (r *Recorder) endpoint(i int, e *endpointCell, spent *pagePool) result.EndpointWindow {
	w := result.EndpointWindow{
		Endpoint: i, Requests: e.Requests, Failures: e.Failures, Retried: e.Retried,
		BytesIn: e.BytesIn, BytesOut: e.BytesOut, Truncated: e.Truncated, Redirects: e.Redirects,
		Raw: e.raw.histogram(spent), Corrected: e.corrected.histogram(spent), Failed: e.failed.histogram(spent),
		FirstByte: e.firstByte.histogram(spent), Connect: e.connect.histogram(spent),
	}
	for _, s := range e.statuses {
		if w.Status == nil {
			w.Status = map[int]int64{}
		}
		w.Status[s.code] += s.n
	}
	for _, x := range e.errors {
		r.mergeError(&w, x)
	}
	slices.SortFunc(w.Errors, func(a, b result.ErrorCount) int { return cmp.Compare(a.Message, b.Message) })
	return w
}

func (r *Recorder) mergeError(w *result.EndpointWindow, x errorCount) {
	message := r.message(x.kind, x.status)
	for i := range w.Errors {
		if have := &w.Errors[i]; have.Kind == x.kind.String() && have.Message == message {
			have.Count += x.n
			have.First, have.Last = min(have.First, x.first), max(have.Last, x.last)
			return
		}
	}
	w.Errors = append(w.Errors, result.ErrorCount{Kind: x.kind.String(), Message: message, Count: x.n, First: x.first, Last: x.last})
}

// clear empties what take has read, keeping the memory of all that fills again every second.
func (c *cell) clear() {
	c.clamped, c.opened, c.reused, c.retried = 0, 0, 0, 0
	c.byAddress = nil
	clear(c.servedBy)
	c.all, c.traced = examples{slow: c.all.slow[:0]}, examples{slow: c.traced.slow[:0]}
	for _, p := range c.parts {
		p.sent = 0
		for i := range p.endpoints {
			e := &p.endpoints[i]
			*e = endpointCell{statuses: e.statuses[:0], errors: e.errors[:0]}
		}
	}
	// One part is enough to keep: only the window after the end of a phase has more.
	c.idle = append(c.idle[:0], c.parts[:min(1, len(c.parts))]...)
	c.parts = c.parts[:0]
}
