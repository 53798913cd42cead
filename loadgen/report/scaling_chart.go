package report

import (
	"math"
	"slices"
	"strings"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/timeline"
)

// aside is the width of what stands right of the chart, the blank before it included.
const aside = 17

// chart is load, latency and capacity on one axis of time: rows of as many characters as the grid
// has columns.
type chart struct {
	rows   []chartRow
	legend string
}

type chartRow struct {
	name, cells, aside string
	axis               bool
}

// newChart draws a timeline, with the traffic of its grid; rows of which nothing is known are left out.
func newChart(t *timeline.Timeline, load *traffic) *chart {
	g, ch := load.grid, &chart{}
	clock := clocksOf(t)
	ch.axis(g, clock)
	ch.traffic(t, load)
	ch.capacity(t, g)
	alarms := ch.policies(t, g)
	ch.events(t, g)

	ch.legend = "█ maximum at the right, _ none"
	if load.completed {
		ch.legend += "; latency corrected"
	}
	if alarms {
		ch.legend += "; alarms: H high, L low, . OK, ? insufficient data"
	}
	return ch
}

func (ch *chart) add(name, cells, aside string) {
	ch.rows = append(ch.rows, chartRow{name: name, cells: cells, aside: aside})
}

// steps of the axis, the shortest first. They are of the run's clock, and at the usual speeds whole
// minutes of the service's.
var axisSteps = [...]time.Duration{
	time.Second, 2 * time.Second, 3 * time.Second, 5 * time.Second, 6 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
}

// axis has a mark at the column that an instant is in, and its time right of it, by each clock.
func (ch *chart) axis(g grid, clock clocks) {
	apart := float64(max(len("|h:mm:ss  "), len("|")+len(units.Clock(clock.service(g.length)))+len("  ")))
	step := axisSteps[len(axisSteps)-1]
	for _, s := range slices.Backward(axisSteps[:]) {
		if float64(s)*float64(g.columns) >= apart*float64(g.length) { // columns from mark to mark
			step = s
		}
	}
	for float64(step)*float64(g.columns) < apart*float64(g.length) {
		step *= 2
	}
	line := func(text func(time.Duration) string) string {
		cells := []rune(strings.Repeat(" ", g.columns))
		for at := time.Duration(0); at < g.length; at += step {
			label := []rune("|" + text(at))
			if from := g.column(at); from+len(label) <= g.columns {
				copy(cells[from:], label)
			}
		}
		return string(cells)
	}
	if !clock.apart() {
		ch.rows = append(ch.rows, chartRow{name: "time", cells: line(units.Clock), axis: true})
		return
	}
	ch.rows = append(ch.rows,
		chartRow{name: "run time", cells: line(units.Clock), axis: true},
		chartRow{name: "service time", cells: line(func(d time.Duration) string { return units.Clock(clock.service(d)) }), axis: true})
}

func (ch *chart) traffic(t *timeline.Timeline, load *traffic) {
	values := func(name string, values []float64, text func(float64) string) {
		if most, known := highestOf(values); known {
			ch.add(name, bars(values, most), "max "+text(most))
		}
	}
	if !slices.ContainsFunc(load.known, func(d time.Duration) bool { return d > 0 }) {
		return
	}
	values("offered", load.rates(load.offered, t.LoadFrom, t.LoadTo), units.Rate)
	if load.completed {
		values("done", load.rates(load.done, t.LoadFrom, t.LoadTo), units.Rate)
		values("latency p50", load.quantiles(0.50), units.Milliseconds)
		values("latency p99", load.quantiles(0.99), units.Milliseconds)
	}
}

// capacity draws the four counts of tasks: as numbers, or as blocks where numbers do not fit.
func (ch *chart) capacity(t *timeline.Timeline, g grid) {
	blocks := false
	last := func(_, b int) int { return b }
	least := func(a, b int) int { return min(a, b) }
	most := func(a, b int) int { return max(a, b) }
	rows := []struct {
		name   string
		values []int
		text   string
	}{
		{"desired", capacity(t, g, func(p timeline.Point) int { return p.Desired }, last), ""},
		{"running", capacity(t, g, func(p timeline.Point) int { return p.Running }, least), ""},
		{"healthy", capacity(t, g, func(p timeline.Point) int { return p.Healthy }, least), ""},
		{"draining", capacity(t, g, func(p timeline.Point) int { return p.Draining }, most), ""},
	}
	top := 0
	for i := range rows {
		text, fits := steps(rows[i].values, rows[i].name == "draining")
		rows[i].text = text
		blocks = blocks || !fits
		top = max(top, slices.Max(rows[i].values))
	}
	for i, r := range rows {
		high := slices.Max(r.values)
		if r.name == "draining" && high == 0 {
			continue
		}
		if blocks {
			values := make([]float64, len(r.values))
			for c, v := range r.values {
				values[c] = float64(v)
			}
			r.text = bars(values, float64(top))
		}
		beside := "max " + small(high)
		switch {
		case blocks && high != top:
			beside += ", █ " + small(top)
		case !blocks && i == 0:
			low, high := t.BoundsAt(t.LoadFrom)
			beside = small(low) + " to " + small(high) + " tasks"
			if len(t.Bounds) > 0 {
				beside = "bounds change"
			}
		case !blocks && r.name != "draining":
			beside = small(slices.Min(r.values)) + " to " + small(high)
		}
		ch.add(r.name, r.text, beside)
	}
}

func (ch *chart) policies(t *timeline.Timeline, g grid) (alarms bool) {
	for _, s := range policies(t) {
		beside := ""
		if most, known := s.highest(); known {
			beside = "max " + metric(most)
			if s.name == "cpu" {
				beside += " %"
			}
			ch.add(clip(clean(s.name), labels-1), bars(s.values(g), most), beside)
		} else if len(s.data) > 0 {
			ch.add(clip(clean(s.name), labels-1), "", "no data")
		}
		if len(s.alarms) > 0 || len(s.data) > 0 {
			ch.add("  alarms", s.states(g), s.bound)
			alarms = true
		}
	}
	return alarms
}

// events numbers what happened as the list below the chart does.
func (ch *chart) events(t *timeline.Timeline, g grid) {
	list := shownEvents(t)
	if len(list) == 0 {
		return
	}
	cells := []rune(strings.Repeat(" ", g.columns))
	for i, e := range slices.Backward(list) {
		mark := '*'
		if i < 9 {
			mark = rune('1' + i)
		}
		cells[g.column(e.At)] = mark
	}
	ch.add("events", string(cells), "")
}

func highestOf(values []float64) (most float64, known bool) {
	for _, v := range values {
		if !math.IsNaN(v) && (!known || v > most) {
			most, known = v, true
		}
	}
	return most, known
}

// bars draws each value as an eighth part of the highest: blank for what is unknown, _ for nothing.
func bars(values []float64, most float64) string {
	var b strings.Builder
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			b.WriteByte(' ')
		case v <= 0:
			b.WriteByte('_')
		default:
			b.WriteRune([]rune("▁▂▃▄▅▆▇█")[min(max(int(math.Ceil(v/most*8)), 1), 8)-1])
		}
	}
	return b.String()
}

// steps writes each value where it begins to hold, and a line for as long as it does. Zeros are left
// out where they are the rule. It does not fit where a number of several digits has no room.
func steps(values []int, blankZero bool) (text string, fits bool) {
	var b strings.Builder
	fits = true
	for i := 0; i < len(values); {
		end := i
		for end < len(values) && values[end] == values[i] {
			end++
		}
		label, line := small(values[i]), "─"
		if values[i] == 0 && blankZero {
			label, line = " ", " "
		}
		if len(label) > 1 && end-i <= len(label) {
			fits = false
		}
		b.WriteString(label + strings.Repeat(line, max(0, end-i-len(label))))
		i = end
	}
	return b.String(), fits
}

// lines are the chart in text, names left and maxima right.
func (ch *chart) lines() []string {
	lines := make([]string, len(ch.rows))
	for i, r := range ch.rows {
		lines[i] = strings.TrimRight(pad(r.name, labels, false)+r.cells+" "+clipEnd(r.aside, aside-1), " ")
	}
	return lines
}
