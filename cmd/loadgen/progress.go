package main

import (
	"fmt"
	"io"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// progress is a result.Sink that writes a run as plain lines, to be read in a log: a header, then
// what happened since the line before, every 2 s of a run of up to a minute, every 10 s of a longer
// one, and where a phase ends. Latencies are corrected ones; those of a line are added up from
// the histograms of its windows.
type progress struct {
	result.NopSink
	w       io.Writer
	dir     *directory // where the result is kept; nil when it is not
	meta    *result.Meta
	planned time.Duration // the length of the load, as edited so far
	every   time.Duration
	drain   bool           // each window of the drain is a line at once, because other lines follow before Close
	among   *teller        // of other lines; nil when there are no others
	tally   *tally         // nil when nothing came since the last line
	cpu     result.Reading // the last that was read
}

// tally is windows of one phase added up.
type tally struct {
	from, to        time.Duration
	phase           string
	users, inFlight int
	offered         int64
	requests        int64
	failures        int64
	errors          map[string]int64
	corrected, lag  result.Histogram
	cpu             result.Reading // highest of a second
}

const (
	shortRun  = time.Minute
	everyOf   = 2 * time.Second  // of a short run
	everyLong = 10 * time.Second // of a longer one
)

// Start writes the header.
func (p *progress) Start(meta *result.Meta) error {
	p.meta = meta
	p.planned = meta.Plan.Length()
	p.every, p.cpu = everyOf, result.Unknown()
	if length := meta.Plan.Length(); length > shortRun {
		p.every = everyLong
	}
	kept := "; nothing is kept"
	if p.dir != nil {
		kept = "; result in " + p.dir.path
	}
	p.line(describe(&meta.Plan) + kept)
	return nil
}

// Window adds a window, and writes a line when one is due.
func (p *progress) Window(w *result.Window) error {
	if w.Revision != nil {
		p.planned = w.Revision.Plan.Length()
	}
	if p.tally != nil && p.tally.phase != w.Name {
		p.flush()
	}
	if p.tally == nil {
		p.tally = &tally{phase: w.Name, from: w.From, cpu: result.Unknown(), errors: map[string]int64{}}
	}
	p.tally.add(w)
	// Not for a moment: where a phase began just before, the line waits for the next whole number.
	if w.To/p.every > w.From/p.every && w.To-p.tally.from >= p.every/2 || p.drain && w.Name == plan.Drain {
		p.flush()
	}
	if p.among != nil {
		p.among.until(fromWindows, w.To)
	}
	return nil
}

// Close writes what is left.
func (p *progress) Close() error {
	if p.tally != nil {
		p.flush()
	}
	if p.among != nil {
		p.among.until(fromWindows, allTold)
	}
	return nil
}

func (p *progress) flush() {
	t := p.tally
	p.tally = nil
	if t.cpu.Known() {
		p.cpu = t.cpu
	}
	t.cpu = p.cpu
	if t.phase == plan.Drain && t.requests == 0 && t.inFlight == 0 {
		return // nothing was left to be done
	}
	if p.among != nil {
		p.among.tell(t.to, t.line(p.meta, p.planned))
		return
	}
	p.line(t.line(p.meta, p.planned))
}

// line writes a line, or does not: a log that nobody takes any more is no reason to end a run, or to warn in its result.
func (p *progress) line(text string) { _, _ = io.WriteString(p.w, text+"\n") }

func (t *tally) add(w *result.Window) {
	t.to, t.users, t.inFlight = w.To, w.Users, w.InFlight
	t.offered += w.Offered
	t.lag.Merge(w.Lag)
	for i := range w.Endpoints {
		e := &w.Endpoints[i]
		t.requests += e.Requests
		t.failures += e.Failures
		t.corrected.Merge(e.Corrected)
		for _, each := range e.Errors {
			t.errors[each.Message] += each.Count
		}
	}
	for _, h := range w.Health {
		if h.CPU.Known() && !(t.cpu > h.CPU) {
			t.cpu = h.CPU
		}
	}
}

// line is, e.g., 0:10/3:00 steady users 50 offered 389.4/s done 388.2/s p50 3.10 ms p99 11.2 ms errors 0 (0.00 %) lag p99 0.130 ms cpu 12 %
func (t *tally) line(meta *result.Meta, planned time.Duration) string {
	seconds := (t.to - t.from).Seconds()
	rate := func(n int64) string {
		if t.phase == plan.Drain || seconds <= 0 {
			return units.Count(n) // in the drain nothing is due: what is answered in its milliseconds has no rate
		}
		return units.Rate(float64(n) / seconds)
	}
	quantile := func(h *result.Histogram, q float64) string {
		if h.Count() == 0 {
			return units.None
		}
		return units.Latency(h.Quantile(q))
	}
	share := 0.0
	if t.requests > 0 {
		share = float64(t.failures) / float64(t.requests)
	}
	crowd := fmt.Sprintf("users %d", t.users)
	switch meta.Plan.Model {
	case plan.Bench:
		crowd = fmt.Sprintf("connections %d", t.users)
	case plan.Open:
		crowd = fmt.Sprintf("in flight %d", t.inFlight)
	}
	line := fmt.Sprintf("%s/%s %s %s offered %s done %s p50 %s p99 %s errors %s (%s) lag p99 %s cpu %s",
		units.Clock(t.to.Round(time.Second)), units.Clock(planned), t.phase, crowd,
		rate(t.offered), rate(t.requests), quantile(&t.corrected, 0.50), quantile(&t.corrected, 0.99),
		units.Count(t.failures), units.Percent(share), quantile(&t.lag, 0.99), units.Percent(float64(t.cpu)))
	if message, count := most(t.errors); count > 0 {
		line += fmt.Sprintf(" | %s × %s", units.Count(count), message)
	}
	return line
}

// most is the entry with the highest count, the first by name of several.
func most(counts map[string]int64) (name string, count int64) {
	for n, c := range counts {
		if c > count || c == count && n < name {
			name, count = n, c
		}
	}
	return name, count
}
