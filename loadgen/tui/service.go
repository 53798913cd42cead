package tui

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/document"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// service is what a screen of a service whose capacity is watched shows beside its load: everything on one axis, from the
// load's begin to the latest end of the recovery.
type service struct {
	axis     time.Duration // of the run's clock
	windows  []*result.Window
	timeline *timeline.Timeline // nil before the first
	news     []string
}

const (
	serviceLabel = 13 // columns of the words on the left
	serviceAside = 26 // of the numbers on the right
)

// height of a terminal that has not said its own.
const defaultHeight = 24

// serviceLines are the rows of the screen.
func (m model) serviceLines(width, height int) []string {
	s := m.service
	columns := width - 1 - serviceLabel - serviceAside
	now := time.Duration(0)
	if m.last != nil {
		now = m.last.To
	}
	if s.timeline != nil {
		now = max(now, s.timeline.End)
	}
	g := axis{length: max(s.axis, now), columns: max(columns, 8), now: now}
	lines := append(m.wrapped(strong, m.title, width, 2), m.wrapped(plain, m.serviceClock(now), width, 2)...)
	lines = append(lines, "")
	offered, done, p99, failed := g.traffic(s.windows)
	rate, latency := "", ""
	if m.last != nil && !m.loadOver(now) {
		f := sum(m.recent)
		if f.load.Seconds() > 0 {
			rate = units.Rate(f.load.PerSecond(f.load.Requests)) + ", " + f.over()
		}
		if f.Corrected.Count() > 0 {
			latency = units.Latency(f.Corrected.Quantile(0.99)) + ", " + f.over()
		}
	}
	share := units.None
	if m.totals.requests > 0 {
		share = units.Count(m.totals.failures) + " of " + units.Count(m.totals.requests)
	}
	style := dim
	if m.totals.failures > 0 {
		style = bad
	}
	lines = append(lines,
		m.line("offered", plain, g.bars(offered, 0), ""),
		m.line("done", good, g.bars(done, slices.Max(append(slices.Clone(offered), 0))), rate),
		m.line("latency p99", warn, g.bars(p99, 0), latency),
		m.line("errors", bad, g.marks(failed, "x"), m.with(style, share)))
	lines = append(lines, m.capacityLines(g)...)
	lines = append(lines, m.line("", dim, g.ruler(), ""), "")
	room := max(2, height-len(lines)-3)
	var news []string
	for _, text := range s.news {
		news = append(news, m.wrapped(plain, text, width, 2)...)
	}
	news = news[max(0, len(news)-room):]
	lines = append(lines, news...)
	for range room - len(news) {
		lines = append(lines, "")
	}
	if m.stopping == "" && m.loadOver(now) {
		key := "Ctrl-C"
		if m.keys {
			key = "q"
		}
		return append(lines, m.with(dim, key+" ends the watching"))
	}
	style, footer := m.footer()
	return append(lines, m.wrapped(style, footer, width, 2)...)
}

// loadOver says that sending has ended, and what was under way too.
func (m model) loadOver(now time.Duration) bool {
	t := m.service.timeline
	return t != nil && now >= m.planned && t.LoadTo < t.End
}

// serviceClock is both clocks.
func (m model) serviceClock(now time.Duration) string {
	t := m.service.timeline
	text := units.Clock(now.Truncate(time.Second)) + " of at most " + units.Clock(m.service.axis)
	if t != nil && t.Speedup != 1 {
		text += " (simulated " + units.Clock(time.Duration(float64(now)*t.Speedup)) + ")"
	}
	switch {
	case m.loadOver(now):
		text += "   the load is over: watching it come back"
	case m.last != nil:
		text += "   " + m.last.Name
		if m.closedModel {
			text += fmt.Sprintf(", %s users", units.Count(int64(m.last.Users)))
		}
	}
	return text
}

// capacityLines are tasks and, of each policy, its alarms.
func (m model) capacityLines(g axis) []string {
	t := m.service.timeline
	if t == nil {
		return []string{m.line("tasks", plain, "", "the first second is under way")}
	}
	healthy, desired := g.tasks(t)
	top := float64(t.Max)
	p := t.At(t.End)
	lines := []string{
		m.line("desired", dim, g.bars(desired, top), fmt.Sprintf("%d, %d to %d", p.Desired, t.Min, t.Max)),
		m.line("healthy", good, g.bars(healthy, top), fmt.Sprintf("%d, %d running, %d draining", p.Healthy, p.Running, p.Draining)),
	}
	var policies []string
	for _, d := range t.Metrics {
		if !slices.Contains(policies, d.Policy) {
			policies = append(policies, d.Policy)
		}
	}
	for _, policy := range policies {
		value := units.None
		for _, d := range t.Metrics {
			if d.Policy == policy {
				value = units.Decimal(float64(int64(d.Value*10+0.5)) / 10)
				if d.Missing {
					value = "no data"
				}
			}
		}
		lines = append(lines, m.line(policy, warn, g.alarms(t, policy), value))
	}
	return lines
}

func (m model) line(name string, s style, cells, aside string) string {
	return fmt.Sprintf("%-*s", serviceLabel, clean(name)) + m.with(s, cells) + "  " + aside
}

// axis divides the run's clock into columns.
type axis struct {
	length  time.Duration
	columns int
	now     time.Duration
}

func (g axis) column(at time.Duration) int {
	if g.length <= 0 {
		return 0
	}
	return min(int(int64(at)*int64(g.columns)/int64(g.length)), g.columns-1)
}

// past is how many columns have begun.
func (g axis) past() int { return g.column(max(g.now-1, 0)) + 1 }

// traffic is, of each column, the rates offered and done, the highest p99 of its windows in ms, and whether anything failed.
func (g axis) traffic(windows []*result.Window) (offered, done, p99, failed []float64) {
	n := g.past()
	offered, done, p99, failed = make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	seconds := make([]float64, n)
	for _, w := range windows {
		i := min(g.column(w.From), n-1)
		seconds[i] += w.Seconds()
		offered[i] += float64(w.Offered)
		for k := range w.Endpoints {
			e := &w.Endpoints[k]
			done[i] += float64(e.Requests)
			failed[i] += float64(e.Failures)
			if e.Corrected.Count() > 0 {
				p99[i] = max(p99[i], float64(e.Corrected.Quantile(0.99))/float64(time.Millisecond))
			}
		}
	}
	for i, s := range seconds {
		switch {
		case s > 0:
			offered[i], done[i] = offered[i]/s, done[i]/s
		case i > 0 && i < n-1 && slices.ContainsFunc(seconds[i:], func(s float64) bool { return s > 0 }):
			// A column shorter than a window has what the one before it has.
			offered[i], done[i], p99[i] = offered[i-1], done[i-1], p99[i-1]
		}
	}
	return offered, done, p99, failed
}

// tasks is capacity at the end of each column.
func (g axis) tasks(t *timeline.Timeline) (healthy, desired []float64) {
	for i := range g.past() {
		at := min(time.Duration(int64(g.length)*int64(i+1)/int64(g.columns))-1, t.End)
		p := t.At(at)
		healthy, desired = append(healthy, float64(p.Healthy)), append(desired, float64(p.Desired))
	}
	return healthy, desired
}

// alarms are, of each column, H where a policy's high alarm was in ALARM in it, L where the low one was.
func (g axis) alarms(t *timeline.Timeline, policy string) string {
	cells := []rune(strings.Repeat(".", g.past()))
	for _, high := range []bool{false, true} {
		mark := map[bool]rune{true: 'H', false: 'L'}[high]
		from := time.Duration(-1)
		paint := func(to time.Duration) {
			for i := g.column(from); from >= 0 && i <= g.column(to) && i < len(cells); i++ {
				cells[i] = mark
			}
			from = -1
		}
		for _, a := range t.Alarms {
			switch {
			case a.Policy != policy || a.High != high:
			case a.State == timeline.Alarm && from < 0:
				from = a.At
			case a.State != timeline.Alarm:
				paint(a.At)
			}
		}
		paint(t.End)
	}
	return g.padded(string(cells))
}

// bars draws values as a report's chart does, top being a full one; 0 is the highest of them.
func (g axis) bars(values []float64, top float64) string {
	if top == 0 {
		top = slices.Max(append(slices.Clone(values), 0))
	}
	return g.padded(document.DrawBars(values, top))
}

// marks are where values are above 0.
func (g axis) marks(values []float64, mark string) string {
	var b strings.Builder
	for _, v := range values {
		if v > 0 {
			b.WriteString(mark)
		} else {
			b.WriteByte(' ')
		}
	}
	return g.padded(b.String())
}

func (g axis) padded(cells string) string {
	return cells + strings.Repeat(" ", max(0, g.columns-len([]rune(cells))))
}

// ruler has the times of the begin, the middle and the end.
func (g axis) ruler() string {
	left, middle, right := "0:00", units.Clock(g.length/2), units.Clock(g.length)
	gap := g.columns - len(left) - len(middle) - len(right)
	if gap < 2 {
		return left
	}
	before := g.columns/2 - len(left)
	return left + strings.Repeat(" ", before) + middle + strings.Repeat(" ", max(1, g.columns-len(left)-before-len(middle)-len(right))) + right
}
