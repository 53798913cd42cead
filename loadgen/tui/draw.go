package tui

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

const (
	minWidth = 40
	maxWidth = 110 // wider is harder to read
	label    = 13  // columns of the words on the left
	column   = 12  // of a latency
	topN     = 3   // kinds of errors
)

// View draws the model. Once it is closed there is nothing left.
func (m model) View() tea.View {
	if m.closed {
		return tea.NewView("")
	}
	return tea.NewView(strings.Join(m.lines(), "\n"))
}

// lines are the rows of the screen, none wider than the terminal.
func (m model) lines() []string {
	width := min(max(m.width, minWidth), maxWidth)
	if m.service != nil {
		return cut(m.serviceLines(width, cmp.Or(m.height, defaultHeight)), width)
	}
	lines := []string{m.with(strong, clean(m.title)), m.progress(width), ""}
	if m.last == nil {
		lines = append(lines, row("", "the first second is under way"))
	} else {
		f := sum(m.recent)
		lines = append(lines, m.phase(), m.rates(f))
		lines = append(lines, m.sparkline(width), m.requests())
		lines = append(lines, m.latencies(f)...)
		lines = append(lines, m.failures()...)
		lines = append(lines, m.generator(f, width)...)
	}
	return cut(append(lines, "", m.footer()), width)
}

// cut makes lines fit a width.
func cut(lines []string, width int) []string {
	for i, l := range lines {
		// One column stays free: some terminals wrap when the last one is written to.
		lines[i] = strings.TrimRight(ansi.Truncate(l, width-1, "…"), " ")
	}
	return lines
}

func row(name, text string) string { return fmt.Sprintf("%-*s%s", label, name, text) }

// progress is elapsed of total, with a bar.
func (m model) progress(width int) string {
	elapsed, share := time.Duration(0), 0.0
	if m.last != nil {
		elapsed = m.last.To.Round(time.Second)
	}
	if m.planned > 0 {
		share = min(1, float64(elapsed)/float64(m.planned))
	}
	clock := units.Clock(elapsed) + " / " + units.Clock(m.planned)
	cells := width - 1 - len(clock) - 2
	full := int(share * float64(cells))
	return clock + "  " + m.with(good, strings.Repeat("█", full)) + m.with(dim, strings.Repeat("░", cells-full))
}

func (m model) phase() string {
	w := m.last
	text := w.Name
	switch {
	case m.bench:
		text += fmt.Sprintf("   %s connections", units.Count(int64(w.Users)))
	case m.closedModel:
		text += fmt.Sprintf("   %s users", units.Count(int64(w.Users)))
	}
	return row("phase", text+fmt.Sprintf("   %s in flight", units.Count(int64(w.InFlight))))
}

func (m model) rates(f *figures) string {
	rate := func(n int64) string {
		if f.seconds <= 0 {
			return units.None
		}
		return units.Rate(float64(n) / f.seconds)
	}
	return row("rate", fmt.Sprintf("offered %s   done %s   ", rate(f.offered), rate(f.done))+m.with(dim, "last 10 s"))
}

// sparkline is the rate of each second of the last minute, or of what has room.
func (m model) sparkline(width int) string {
	const caption, shorter = "  last minute", "  last 00 s"
	room, text := width-1-label, caption
	cells := min(minute, room-len(caption))
	if cells < minute {
		cells = room - len(shorter)
		text = fmt.Sprintf("  last %d s", cells)
	}
	shown := m.seconds[max(0, len(m.seconds)-cells):]
	return row("", m.with(good, sparkline(shown))+m.with(dim, text))
}

// sparkline draws seconds as bars, the highest one full; a second without any request is a blank.
func sparkline(seconds []second) string {
	bars := []rune("▁▂▃▄▅▆▇█")
	var highest int64
	for _, s := range seconds {
		highest = max(highest, s.done)
	}
	var b strings.Builder
	for _, s := range seconds {
		if s.done == 0 {
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(bars[(s.done*int64(len(bars))-1)/highest])
	}
	return b.String()
}

func (m model) requests() string {
	t := m.totals
	share := 0.0
	if t.requests > 0 {
		share = float64(t.failures) / float64(t.requests)
	}
	style := plain
	if t.failures > 0 {
		style = bad
	}
	return row("requests", fmt.Sprintf("%s done   ", units.Count(t.requests))+
		m.with(style, fmt.Sprintf("%s failed (%s)", units.Count(t.failures), units.Percent(share))))
}

func (m model) latencies(f *figures) []string {
	line := func(name string, h *result.Histogram, note string) string {
		cell := func(q float64) string {
			if h.Count() == 0 {
				return units.None
			}
			return units.Latency(h.Quantile(q))
		}
		return row("  "+name, pad(cell(0.50))+pad(cell(0.99))+m.with(dim, note))
	}
	return []string{
		row("latency", m.with(dim, pad("p50")+pad("p99")+"last 10 s")),
		line("raw", &f.raw, "from the send"),
		line("corrected", &f.corrected, "from when it was due"),
	}
}

func pad(s string) string { return s + strings.Repeat(" ", max(1, column-ansi.StringWidth(s))) }

func (m model) failures() []string {
	worst := m.totals.worst(topN)
	if len(worst) == 0 {
		return []string{row("errors", "none")}
	}
	width := len(units.Count(worst[0].count))
	var lines []string
	name := "errors"
	for _, f := range worst {
		lines = append(lines, row(name, m.with(bad, fmt.Sprintf("%*s", width, units.Count(f.count)))+"  "+clean(f.message)))
		name = ""
	}
	if more := len(m.totals.errors) - len(worst); more > 0 {
		lines = append(lines, row("", m.with(dim, fmt.Sprintf("and %d more", more))))
	}
	return lines
}

// generator says whether the generator keeps up, and why it does not.
func (m model) generator(f *figures, width int) []string {
	level, why := f.judge(m.closedModel, m.bench)
	word, style := "fit", good
	switch level {
	case result.Suspect:
		word, style = "suspect", warn
	case result.Invalid:
		word, style = "unfit", bad
	}
	lag := units.None
	if f.lag.Count() > 0 {
		lag = units.Latency(f.lag.Quantile(0.99))
	}
	lines := []string{row("generator", m.with(style, word)+fmt.Sprintf("   lag p99 %s   CPU %s", lag, units.Percent(float64(f.cpu))))}
	if why == "" {
		return lines
	}
	for l := range strings.SplitSeq(ansi.Wordwrap(clean(why), width-1-label, ""), "\n") {
		lines = append(lines, row("", m.with(dim, l)))
	}
	return lines
}

func (m model) footer() string {
	grace := units.Duration(m.stopTimeout)
	key := "ctrl+c"
	if m.keys {
		key = "q"
	}
	switch {
	case m.stopping != "":
		return m.with(warn, fmt.Sprintf("stopping within %s (%s); %s again: at once", grace, clean(m.stopping), key))
	case m.last != nil && m.last.Name == plan.Drain:
		return m.with(dim, fmt.Sprintf("sending is over; what is under way has up to %s", grace))
	}
	if m.wheel == nil {
		return m.with(dim, key+" stops")
	}
	pause := "p pauses"
	if m.last != nil && m.last.Name == plan.Held {
		pause = "p goes on"
	}
	text := key + " stops · +/- w/s W/S change the load · " + pause
	if m.said != "" {
		text += " · " + clean(m.said)
	}
	return m.with(dim, text)
}

// clean keeps what a server said from writing to the terminal.
func clean(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || 0x7f <= r && r < 0xa0 {
			return '\ufffd'
		}
		return r
	}, text)
}

// style is the parameter of an escape sequence that selects how text looks.
type style string

const (
	plain  style = ""
	strong style = "1"
	dim    style = "2"
	bad    style = "31"
	good   style = "32"
	warn   style = "33"
)

func (m model) with(s style, text string) string {
	if !m.styled || s == plain || text == "" {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}
