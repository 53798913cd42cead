package tui

import (
	"cmp"
	"fmt"
	"math"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/document"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

const (
	minWidth = 40
	maxWidth = 110 // wider is harder to read
	label    = 13  // columns of the words on the left
	column   = 11  // of a latency
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
	lines := append(m.wrapped(strong, m.title, width, 2), m.progress(width), "")
	if m.last == nil {
		lines = append(lines, row("", "the first second is under way"))
	} else { // in the order of the summary
		f := sum(m.recent)
		lines = append(lines, m.requests(), m.rates(f), m.sparkline(width))
		lines = append(lines, m.failures(width)...)
		lines = append(lines, m.latencies(f, width)...)
		lines = append(lines, m.phase())
		lines = append(lines, m.generator(f, width)...)
	}
	style, footer := m.footer()
	return cut(append(append(lines, ""), m.wrapped(style, footer, width, 3)...), width)
}

// wrapped is text in at most so many lines that fit a width, broken between words.
func (m model) wrapped(s style, text string, width, most int) (lines []string) {
	all := strings.Split(ansi.Wordwrap(clean(text), width-1, ""), "\n")
	if len(all) > most {
		all = append(all[:most-1], strings.Join(all[most-1:], " ")) // which is cut
	}
	for _, l := range all {
		lines = append(lines, m.with(s, ansi.Truncate(l, width-1, "…")))
	}
	return lines
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
		if f.load.Seconds() <= 0 {
			return units.None
		}
		return units.Rate(float64(n) / f.load.Seconds())
	}
	return row("rate", fmt.Sprintf("%s done of %s offered   ", rate(f.load.Requests), rate(f.load.Offered))+m.with(dim, f.over()))
}

// over says of how much time figures are: the last 10 s, or what there was.
func (f *figures) over() string {
	if f.load.Seconds() == 0 {
		return "the load is over"
	}
	return "last " + units.Decimal(math.Round(f.load.Seconds()*10)/10) + " s"
}

// sparkline is the rate of each second of the last minute, or of what has room, and says how much time that is.
func (m model) sparkline(width int) string {
	caption := func(shown []second) string {
		length, highest := 0.0, 0.0
		for _, s := range shown {
			length += s.length
			highest = max(highest, s.rate())
		}
		return "  last " + units.Decimal(math.Round(length)) + " s, max " + units.Rate(highest)
	}
	shown := m.seconds
	if cells := max(width-1-label-len(caption(shown)), 1); len(shown) > cells {
		shown = shown[len(shown)-cells:]
	}
	return row("", m.with(good, sparkline(shown))+m.with(dim, caption(shown)))
}

// sparkline draws seconds as bars, the highest one full, as a report's chart does.
func sparkline(seconds []second) string {
	rates, highest := make([]float64, len(seconds)), 0.0
	for i, s := range seconds {
		rates[i] = s.rate()
		highest = max(highest, rates[i])
	}
	return document.DrawBars(rates, highest)
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
	return row("requests", units.Count(t.requests)+" done   "+
		m.with(style, fmt.Sprintf("%s errors (%s)", units.Count(t.failures), units.Percent(share))))
}

// latencies have the columns and rows of the summary, as many as there is room for.
func (m model) latencies(f *figures, width int) []string {
	quantiles := []struct {
		name string
		q    float64
	}{{"p50", 0.50}, {"p95", 0.95}, {"p99", 0.99}, {"max", 1}}
	note := "  " + f.over()
	for label+len(quantiles)*column > width-1 && len(quantiles) > 1 {
		quantiles = append(quantiles[:1], quantiles[2:]...) // what is between goes first
	}
	if label+len(quantiles)*column+len(note) > width-1 {
		note = ""
	}
	line := func(name string, s style, h *result.Histogram) string {
		var b strings.Builder
		for _, q := range quantiles {
			text := units.None
			if h.Count() > 0 {
				text = units.Latency(h.Quantile(q.q))
			}
			b.WriteString(pad(text))
		}
		return row(name, m.with(s, strings.TrimRight(b.String(), " ")))
	}
	var heads strings.Builder
	for _, q := range quantiles {
		heads.WriteString(pad(q.name))
	}
	return []string{
		m.with(dim, row("latency", strings.TrimRight(heads.String(), " ")+note)),
		line("corrected", strong, f.Corrected),
		line("raw", plain, f.Raw),
	}
}

func pad(s string) string { return s + strings.Repeat(" ", max(1, column-ansi.StringWidth(s))) }

// failures are the most frequent, each with its endpoint.
func (m model) failures(width int) []string {
	worst := m.totals.worst(topN)
	if len(worst) == 0 {
		return []string{row("errors", "none")}
	}
	count := len(units.Count(worst[0].count))
	var lines []string
	name := "errors"
	for _, f := range worst {
		text := f.message
		if f.endpoint >= 0 && f.endpoint < len(m.endpoints) {
			text = m.endpoints[f.endpoint] + "  " + text
		}
		prefix := row(name, m.with(bad, fmt.Sprintf("%*s", count, units.Count(f.count)))+"  ")
		for _, l := range m.wrapped(plain, text, width-label-count-2, 2) {
			lines = append(lines, prefix+l)
			prefix = strings.Repeat(" ", label+count+2)
		}
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
	if f.Lag.Count() > 0 {
		lag = units.Latency(f.Lag.Quantile(0.99))
	}
	_, cpu := f.CPU()
	lines := []string{row("generator", m.with(style, word)+fmt.Sprintf("   lag p99 %s   CPU %s", lag, units.Percent(float64(cpu))))}
	if why == "" {
		return lines
	}
	for l := range strings.SplitSeq(ansi.Wordwrap(clean(why), width-1-label, ""), "\n") {
		lines = append(lines, row("", m.with(dim, l)))
	}
	return lines
}

func (m model) footer() (style, string) {
	grace := units.Duration(m.stopTimeout)
	key := "Ctrl-C"
	if m.keys {
		key = "q"
	}
	switch {
	case m.stopping != "":
		return warn, fmt.Sprintf("stopping within %s (%s); %s again: at once", grace, m.stopping, key)
	case m.last != nil && m.last.Name == plan.Drain:
		return dim, fmt.Sprintf("no more requests are sent; those in flight have up to %s", grace)
	}
	if m.wheel == nil {
		return dim, key + " stops"
	}
	pause := "p pauses"
	if m.last != nil && m.last.Name == plan.Held {
		pause = "p goes on"
	}
	text := key + " stops · +/- w/s W/S change the load · " + pause
	if m.said != "" {
		text += " · " + m.said
	}
	return dim, text
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

// style is what text means, with the colour that it has in every view.
type style = document.Tone

const (
	plain  = document.Plain
	strong = document.Strong
	dim    = document.Dim
	bad    = document.Bad
	good   = document.Good
	warn   = document.Warn
)

func (m model) with(s style, text string) string { return document.Painter(m.styled).Paint(s, text) }
