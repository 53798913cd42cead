package progress

import (
	"fmt"
	"io"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// Lines is a result.Sink that writes a run as plain lines: a header, then what happened since the line before, every 2 s of a
// run of up to a minute, every 10 s of a longer one, and where a phase ends. Latencies are corrected ones; those of a
// line are of the sum of its windows.
type Lines struct {
	result.NopSink
	Out io.Writer
	// Kept is where the result is kept, asked when the run starts; nil or empty when it is not.
	Kept func() string
	// Story, when not nil, tells among these lines what capacity does. Each window of the drain is a line then, because other
	// lines follow.
	Story *Story

	meta  *result.Meta
	every time.Duration
	phase string
	tally *result.Tally  // nil when nothing came since the last line
	cpu   result.Reading // the last that was read
	among *teller        // nil without a story
}

const (
	shortRun  = time.Minute
	everyOf   = 2 * time.Second  // of a short run
	everyLong = 10 * time.Second // of a longer one
)

// Start writes the header.
func (l *Lines) Start(meta *result.Meta) error {
	l.meta = meta
	l.every, l.cpu = everyOf, result.Unknown()
	if length := meta.Plan.Length(); length > shortRun {
		l.every = everyLong
	}
	kept := "; nothing is kept"
	if l.Kept != nil {
		if dir := l.Kept(); dir != "" {
			kept = "; result in " + dir
		}
	}
	l.line(Describe(&meta.Plan) + kept)
	if l.Story != nil {
		l.among = newTeller(l.line, fromWindows, fromCapacity)
		l.Story.teller = l.among
	}
	return nil
}

// Window adds a window, and writes a line when one is due.
func (l *Lines) Window(w *result.Window) error {
	if l.tally != nil && l.phase != w.Name {
		l.flush()
	}
	if l.tally == nil {
		l.phase, l.tally = w.Name, &result.Tally{}
	}
	l.tally.Add(w)
	// Not for a moment: where a phase began just before, the line waits for the next whole number.
	if w.To/l.every > w.From/l.every && w.To-l.tally.From >= l.every/2 || l.among != nil && w.Name == plan.Drain {
		l.flush()
	}
	if l.among != nil {
		told := w.To
		if w.Ended { // it is the last
			told = allTold
		}
		l.among.until(fromWindows, told)
	}
	return nil
}

// Facts tells what capacity did.
func (l *Lines) Facts(f *result.Facts) error {
	if l.Story == nil {
		return nil
	}
	return l.Story.Facts(f)
}

// Close writes what is left.
func (l *Lines) Close() error {
	if l.tally != nil {
		l.flush()
	}
	if l.among == nil {
		return nil
	}
	l.among.until(fromWindows, allTold)
	return l.Story.Close()
}

func (l *Lines) flush() {
	t := l.tally
	l.tally = nil
	if highest, _ := t.CPU(); highest.Known() {
		l.cpu = highest
	}
	if l.phase == plan.Drain && t.Requests == 0 && t.InFlight == 0 {
		return // nothing was left to be done
	}
	text := l.text(t, l.cpu)
	if l.among != nil {
		l.among.tell(t.To, text)
		return
	}
	l.line(text)
}

// line writes a line, or does not: a log that nobody takes any more is no reason to end a run, or to warn in its result.
func (l *Lines) line(text string) { _, _ = io.WriteString(l.Out, text+"\n") }

// line is, e.g., 0:10/3:00 steady users 50 offered 389.4/s done 388.2/s p50 3.10 ms p99 11.2 ms errors 0 (0.00 %) lag p99 0.130 ms cpu 12 %
func (l *Lines) text(t *result.Tally, cpu result.Reading) string {
	rate := func(n int64) string {
		if l.phase == plan.Drain || t.Length <= 0 {
			return units.Count(n) // in the drain nothing is due: what is answered in its milliseconds has no rate
		}
		return units.Rate(t.PerSecond(n))
	}
	quantile := func(h *result.Histogram, q float64) string {
		if h.Count() == 0 {
			return units.None
		}
		return units.Latency(h.Quantile(q))
	}
	crowd := fmt.Sprintf("users %d", t.Users)
	switch l.meta.Plan.Model {
	case plan.Bench:
		crowd = fmt.Sprintf("connections %d", t.Users)
	case plan.Open:
		crowd = fmt.Sprintf("in flight %d", t.InFlight)
	}
	line := fmt.Sprintf("%s/%s %s %s offered %s done %s p50 %s p99 %s errors %s (%s) lag p99 %s cpu %s",
		units.Clock(t.To.Round(time.Second)), units.Clock(l.meta.Plan.Length()), l.phase, crowd,
		rate(t.Offered), rate(t.Requests), quantile(t.Corrected, 0.50), quantile(t.Corrected, 0.99),
		units.Count(t.Failures), units.Percent(t.ErrorShare()), quantile(t.Lag, 0.99), units.Percent(float64(cpu)))
	if most := t.Frequent(1); len(most) > 0 {
		line += fmt.Sprintf(" | %s × %s", units.Count(most[0].Count), most[0].Message)
	}
	return line
}
