package document

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/result"
)

// Chart is series of values on one axis of time, which begins at 0.
type Chart struct {
	Length time.Duration
	Clocks []Clock // whose times the axis shows, one line each
	Series []Series
	Legend string
}

// Clock goes Speed times as fast as the axis.
type Clock struct {
	Name  string
	Speed float64
}

// Form is how a series is drawn.
type Form int

// The forms.
const (
	Bars   Form = iota // as high as the value
	Levels             // a number where it begins to hold, and a line for as long as it does
	States             // a sign of each state
	Marks              // a sign where something happened
)

// Join says what several values in one column become. Percentiles are never averaged: histograms are added.
type Join int

// The joins.
const (
	Mean     Join = iota // weighted by time: of rates
	Last                 // of several, the last one
	Least                // the lowest that was held for any time
	Most                 // the highest
	Middle               // the one that holds the column's middle
	Quantile             // of the histograms whose middle lies in the column, and of those that hold the column's own
)

// Unit is that of a value beside its series.
type Unit int

// The units.
const (
	Number  Unit = iota
	Rate         // requests a second
	Latency      // milliseconds
)

func (u Unit) text(x float64) string {
	switch u {
	case Rate:
		return units.Rate(x)
	case Latency:
		return units.Milliseconds(x)
	}
	return ShortNumber(x)
}

// ShortNumber prints whole numbers where they are large, and else one digit after the point.
func ShortNumber(x float64) string {
	if math.Abs(x) >= 100 {
		x = math.Round(x)
	} else {
		x = math.Round(x*10) / 10
	}
	return units.Decimal(x)
}

// Series is one row of a chart. Its points are in order of From.
type Series struct {
	Name   string
	Form   Form
	Tone   Tone
	Points []Point
	Join   Join
	Q      float64 // of the join Quantile
	Unit   Unit
	Top    float64 // what a full bar stands for; 0 is the highest that is drawn
	// Scale is common to series of Levels that are drawn alike: where one has no room for its numbers, all are bars of
	// one scale.
	Scale string
	// Order are the states, the most important first; the last is where nothing is known.
	Order string
	Aside string // stands beside the series; of bars without, it is the highest
}

// Point is a value from one instant to another. NaN is not known.
type Point struct {
	From, To time.Duration
	Value    float64
	Sign     rune              // of States and Marks
	Latency  *result.Histogram // of the join Quantile
	IsRest   bool              // of the join Mean: counts only in columns of which no other point says anything
}

// grid cuts the axis into columns of equal length.
type grid struct {
	length  time.Duration // of the whole
	columns int
}

// edge is where a column begins; that of the last one's successor is the end.
func (g grid) edge(column int) time.Duration {
	n, c := time.Duration(g.columns), time.Duration(column)
	return g.length/n*c + g.length%n*c/n // exact at the end, and too small to overflow
}

func (g grid) middle(column int) time.Duration { return (g.edge(column) + g.edge(column+1)) / 2 }

// column is the one that an instant is in, or the nearest.
func (g grid) column(at time.Duration) int {
	c := min(max(int(float64(at)/float64(g.length)*float64(g.columns)), 0), g.columns-1)
	for c > 0 && g.edge(c) > at { // edges are rounded down
		c--
	}
	for c+1 < g.columns && g.edge(c+1) <= at {
		c++
	}
	return c
}

// over calls with each column that a point covers, and how much of it.
func (g grid) over(p *Point, yield func(column int, part time.Duration)) {
	for c := g.column(p.From); c < g.columns && g.edge(c) < p.To; c++ {
		if part := min(p.To, g.edge(c+1)) - max(p.From, g.edge(c)); part > 0 {
			yield(c, part)
		}
	}
}

// Values are the series in so many equal parts of an axis; NaN is not known.
func (s *Series) Values(length time.Duration, columns int) []float64 {
	return s.values(grid{length, columns})
}

// values are the series by column; NaN is not known.
func (s *Series) values(g grid) []float64 {
	values := make([]float64, g.columns)
	for c := range values {
		values[c] = math.NaN()
	}
	switch s.Join {
	case Mean:
		s.means(g, values)
	case Middle:
		next := 0
		for c := range values {
			for next < len(s.Points) && s.Points[next].To < g.middle(c) {
				next++
			}
			if next < len(s.Points) && s.Points[next].From < g.middle(c) {
				values[c] = s.Points[next].Value
			}
		}
	case Quantile:
		s.quantiles(g, values)
	default:
		for i := range s.Points {
			p := &s.Points[i]
			g.over(p, func(c int, _ time.Duration) {
				switch {
				case math.IsNaN(p.Value):
				case math.IsNaN(values[c]), s.Join == Last:
					values[c] = p.Value
				case s.Join == Least:
					values[c] = min(values[c], p.Value)
				default:
					values[c] = max(values[c], p.Value)
				}
			})
		}
	}
	return values
}

func (s *Series) means(g grid, values []float64) {
	sums, known := make([]float64, g.columns), make([]float64, g.columns)
	for i := range s.Points {
		p := &s.Points[i]
		if math.IsNaN(p.Value) {
			continue
		}
		g.over(p, func(c int, part time.Duration) {
			if p.IsRest {
				values[c] = p.Value
				return
			}
			sums[c] += p.Value * part.Seconds()
			known[c] += part.Seconds()
		})
	}
	for c := range values {
		if known[c] > 0 {
			values[c] = sums[c] / known[c]
		}
	}
}

func (s *Series) quantiles(g grid, values []float64) {
	sums := make([]*result.Histogram, g.columns)
	add := func(c int, h *result.Histogram) {
		if sums[c] == nil {
			sums[c] = &result.Histogram{}
		}
		sums[c].Merge(h)
	}
	for i := range s.Points {
		p := &s.Points[i]
		if p.Latency.Count() == 0 || p.From >= g.length {
			continue
		}
		middle := g.column((p.From + p.To) / 2)
		add(middle, p.Latency)
		for c := g.column(p.From); c < g.columns && g.middle(c) < p.To; c++ {
			if c != middle && g.middle(c) >= p.From {
				add(c, p.Latency)
			}
		}
	}
	for c, h := range sums {
		if h.Count() > 0 {
			values[c] = float64(h.Quantile(s.Q)) / float64(time.Millisecond)
		}
	}
}

// states are the series by column: of those held in it for any time, the most important.
func (s *Series) states(g grid) string {
	order := []rune(s.Order)
	ranks := slices.Repeat([]int{len(order) - 1}, g.columns)
	for i := range s.Points {
		rank := slices.Index(order, s.Points[i].Sign)
		g.over(&s.Points[i], func(c int, _ time.Duration) {
			if rank >= 0 {
				ranks[c] = min(ranks[c], rank)
			}
		})
	}
	cells := make([]rune, g.columns)
	for c, r := range ranks {
		cells[c] = order[r]
	}
	return string(cells)
}

// marks are signs at the columns of their instants; the first of several in one is shown.
func (s *Series) marks(g grid) string {
	cells := []rune(strings.Repeat(" ", g.columns))
	for _, p := range slices.Backward(s.Points) {
		for c := g.column(p.From); c < g.columns && (c == g.column(p.From) || g.edge(c) < p.To); c++ {
			cells[c] = p.Sign
		}
	}
	return string(cells)
}

// chartRow is a line of a drawn chart.
type chartRow struct {
	name, cells, aside string
	tone               Tone
}

// draw lays the chart out; series of which nothing is known are left out.
func (ch *Chart) draw(columns int) []chartRow {
	g := grid{ch.Length, columns}
	rows := ch.axes(g)
	asBars := map[string]float64{} // the tops of scales whose numbers do not fit
	for i := range ch.Series {
		s := &ch.Series[i]
		if s.Form != Levels {
			continue
		}
		if _, fits := steps(s.values(g)); !fits {
			asBars[s.Scale] = 0
		}
	}
	for i := range ch.Series {
		if s := &ch.Series[i]; s.Form == Levels {
			if top, ok := asBars[s.Scale]; ok {
				most, _ := highestOf(s.values(g))
				asBars[s.Scale] = max(top, most)
			}
		}
	}
	for i := range ch.Series {
		s := &ch.Series[i]
		row := chartRow{name: s.Name, tone: s.Tone, aside: s.Aside}
		switch s.Form {
		case States:
			row.cells = s.states(g)
		case Marks:
			row.cells = s.marks(g)
		case Bars:
			values := s.values(g)
			most, known := highestOf(values)
			if !known && s.Aside == "" {
				continue
			}
			if known && s.Aside == "" {
				row.aside = "max " + s.Unit.text(most)
			}
			if s.Top > 0 {
				most = s.Top
			}
			row.cells = DrawBars(values, most)
		case Levels:
			values := s.values(g)
			top, ok := asBars[s.Scale]
			if !ok {
				row.cells, _ = steps(values)
				break
			}
			row.cells = DrawBars(values, top)
			most, _ := highestOf(values)
			row.aside = "max " + s.Unit.text(most)
			if most != top {
				row.aside += ", █ " + s.Unit.text(top)
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// steps of the axis, the shortest first. They are of the run's clock, and at the usual speeds whole
// minutes of the service's.
var axisSteps = [...]time.Duration{
	time.Second, 2 * time.Second, 3 * time.Second, 5 * time.Second, 6 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
}

// AxisStep is from one mark of an axis to the next: at least so many seconds, and a time that people count in.
func AxisStep(seconds float64) time.Duration {
	for _, s := range axisSteps {
		if s.Seconds() >= seconds {
			return s
		}
	}
	step := axisSteps[len(axisSteps)-1]
	for step.Seconds() < seconds {
		step *= 2
	}
	return step
}

// axes have a mark at the column that an instant is in, and its time right of it, by each clock.
func (ch *Chart) axes(g grid) (rows []chartRow) {
	fastest := 1.0
	for _, c := range ch.Clocks {
		fastest = max(fastest, c.Speed)
	}
	at := func(d time.Duration, speed float64) time.Duration {
		return time.Duration(min(float64(d)*speed, math.MaxInt64/2))
	}
	apart := float64(max(len("|h:mm:ss  "), len("|")+len(units.Clock(at(g.length, fastest)))+len("  ")))
	step := AxisStep(apart / float64(g.columns) * g.length.Seconds())
	for _, clock := range ch.Clocks {
		cells := []rune(strings.Repeat(" ", g.columns))
		for t := time.Duration(0); t < g.length; t += step {
			label := []rune("|" + units.Clock(at(t, clock.Speed)))
			if from := g.column(t); from+len(label) <= g.columns {
				copy(cells[from:], label)
			}
		}
		rows = append(rows, chartRow{name: clock.Name, cells: string(cells), tone: Dim})
	}
	return rows
}

func highestOf(values []float64) (most float64, known bool) {
	for _, v := range values {
		if !math.IsNaN(v) && (!known || v > most) {
			most, known = v, true
		}
	}
	return most, known
}

// DrawBars draws each value in eighths of the highest: blank for what is unknown, _ for nothing.
func DrawBars(values []float64, most float64) string {
	var b strings.Builder
	for _, v := range values {
		switch {
		case math.IsNaN(v):
			b.WriteByte(' ')
		case v <= 0 || most <= 0:
			b.WriteByte('_')
		default:
			b.WriteRune([]rune("▁▂▃▄▅▆▇█")[min(max(int(math.Ceil(v/most*8)), 1), 8)-1])
		}
	}
	return b.String()
}

// steps writes each value where it begins to hold, and a line for as long as it does. It does not fit where a number of
// several digits has no room.
func steps(values []float64) (text string, fits bool) {
	var b strings.Builder
	fits = true
	for i := 0; i < len(values); {
		end := i
		for end < len(values) && (values[end] == values[i] || math.IsNaN(values[end]) && math.IsNaN(values[i])) {
			end++
		}
		label, line := strconv.FormatFloat(values[i], 'f', -1, 64), "─"
		if math.IsNaN(values[i]) {
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
