package report

import (
	"cmp"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// grid cuts the run into columns of equal length.
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

// traffic is what was sent and what came of it, by column.
type traffic struct {
	grid
	offered, done []float64       // requests
	known         []time.Duration // how much of a column's time is known
	latency       []*result.Histogram
	completed     bool // done is known, and not offered alone
	cut           error
}

func newTraffic(g grid) *traffic {
	return &traffic{
		grid: g, offered: make([]float64, g.columns), done: make([]float64, g.columns),
		known: make([]time.Duration, g.columns), latency: make([]*result.Histogram, g.columns),
	}
}

// spread adds requests to the columns that a stretch of time covers, as if evenly sent.
func (t *traffic) spread(from, to time.Duration, offered, done float64) {
	if to <= from {
		return
	}
	for c := t.column(from); c < t.columns && t.edge(c) < to; c++ {
		part := min(to, t.edge(c+1)) - max(from, t.edge(c))
		if part <= 0 {
			continue
		}
		share := float64(part) / float64(to-from)
		t.offered[c] += offered * share
		t.done[c] += done * share
		t.known[c] += part
	}
}

// ofWindows adds up a run's windows. A window's latencies count where its middle lies; where
// windows are longer than columns, in each column whose middle it holds.
func ofWindows(g grid, windows iter.Seq2[*result.Window, error]) *traffic {
	t := newTraffic(g)
	t.completed = true
	for w, err := range windows {
		if err != nil {
			t.cut = err
			break
		}
		var done int64
		for i := range w.Endpoints {
			done += w.Endpoints[i].Requests
		}
		if w.From >= g.length {
			continue
		}
		t.spread(w.From, w.To, float64(w.Offered), float64(done))
		middle := t.column((w.From + w.To) / 2)
		t.addLatency(middle, w)
		for c := t.column(w.From); c < t.columns && t.middle(c) < w.To; c++ {
			if c != middle && t.middle(c) >= w.From {
				t.addLatency(c, w)
			}
		}
	}
	return t
}

func (t *traffic) addLatency(column int, w *result.Window) {
	if t.latency[column] == nil {
		t.latency[column] = &result.Histogram{}
	}
	for i := range w.Endpoints {
		t.latency[column].Merge(w.Endpoints[i].Corrected)
	}
}

// ofSteps adds up a load of which nothing but its rates is known.
func ofSteps(g grid, load timeline.Load) *traffic {
	t := newTraffic(g)
	for _, s := range load {
		t.spread(s.From, s.To, s.Rate*(s.To-s.From).Seconds(), 0)
	}
	return t
}

// rates are requests a second by column: NaN where nothing is known, and 0 where nothing was sent.
func (t *traffic) rates(counts []float64, loadFrom, loadTo time.Duration) []float64 {
	rates := make([]float64, t.columns)
	for c := range rates {
		switch {
		case t.known[c] > 0:
			rates[c] = counts[c] / t.known[c].Seconds()
		case t.edge(c) < loadTo && t.edge(c+1) > loadFrom:
			rates[c] = math.NaN()
		}
	}
	return rates
}

// quantiles are corrected latencies in milliseconds by column, NaN where there are none.
func (t *traffic) quantiles(q float64) []float64 {
	values := make([]float64, t.columns)
	for c, h := range t.latency {
		values[c] = math.NaN()
		if h.Count() > 0 {
			values[c] = float64(h.Quantile(q)) / float64(time.Millisecond)
		}
	}
	return values
}

// capacity is one count of tasks by column, made of those that were held in it for any time.
func capacity(t *timeline.Timeline, g grid, count func(timeline.Point) int, choose func(a, b int) int) []int {
	values := make([]int, g.columns)
	for c := range values {
		first := true
		t.Between(g.edge(c), g.edge(c+1), func(_, _ time.Duration, p timeline.Point) {
			if first {
				values[c], first = count(p), false
			} else {
				values[c] = choose(values[c], count(p))
			}
		})
	}
	return values
}

// series is what a timeline holds of one policy.
type series struct {
	name   string
	data   []timeline.Datum
	alarms map[string][]timeline.AlarmChange
	bound  string // target 50
}

// p99Policy is the one in steps, whose alarm has a bound and no target.
const p99Policy = "p99"

// lowShare is where target tracking puts its low alarm: at 90 % of the target.
const lowShare = 0.9

// policies are the timeline's, by name.
func policies(t *timeline.Timeline) []*series {
	byName := map[string]*series{}
	of := func(name string) *series {
		if byName[name] == nil {
			byName[name] = &series{name: name, alarms: map[string][]timeline.AlarmChange{}}
		}
		return byName[name]
	}
	for _, d := range t.Metrics {
		s := of(d.Policy)
		s.data = append(s.data, d)
	}
	for _, a := range t.Alarms {
		s := of(a.Policy)
		s.alarms[a.Alarm] = append(s.alarms[a.Alarm], a)
		if limit, ok := thresholdOf(a.Reason); ok && (a.High || s.bound == "") {
			if !a.High {
				limit /= lowShare
			}
			if s.bound = "target " + metric(limit); a.Policy == p99Policy {
				s.bound = "above " + metric(limit) + " ms"
			}
		}
	}
	all := make([]*series, 0, len(byName))
	for _, s := range byName {
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b *series) int { return cmp.Compare(a.name, b.name) })
	return all
}

// thresholdOf reads the threshold in the reason that CloudWatch gives an alarm's state, which is the
// one place where a timeline has the target: "… was greater than the threshold (50.0) …".
func thresholdOf(reason string) (float64, bool) {
	_, after, found := strings.Cut(reason, "the threshold (")
	number, _, closed := strings.Cut(after, ")")
	x, err := strconv.ParseFloat(number, 64)
	return x, found && closed && err == nil && !math.IsNaN(x) && !math.IsInf(x, 0)
}

// values are the metric by column: of the period that holds its middle. NaN is missing.
func (s *series) values(g grid) []float64 {
	values := make([]float64, g.columns)
	next := 0
	for c := range values {
		for next < len(s.data) && s.data[next].At < g.middle(c) {
			next++
		}
		values[c] = math.NaN()
		if next < len(s.data) && !s.data[next].Missing {
			values[c] = s.data[next].Value
		}
	}
	return values
}

// highest is the metric's highest value.
func (s *series) highest() (most float64, known bool) {
	for _, d := range s.data {
		if !d.Missing && (!known || d.Value > most) {
			most, known = d.Value, true
		}
	}
	return most, known
}

// states are the alarms by column: H where one for high was in ALARM at any time, else L for low, ?
// where no alarm had data, and else a point.
func (s *series) states(g grid) string {
	var b strings.Builder
	for c := range g.columns {
		high, low, known := false, false, false
		for _, changes := range s.alarms {
			for i, a := range changes {
				if a.At >= g.edge(c+1) {
					break
				}
				if i+1 < len(changes) && changes[i+1].At <= g.edge(c) {
					continue
				}
				high = high || a.State == timeline.Alarm && a.High
				low = low || a.State == timeline.Alarm && !a.High
				known = known || a.State == timeline.OK
			}
		}
		switch {
		case high:
			b.WriteByte('H')
		case low:
			b.WriteByte('L')
		case known:
			b.WriteByte('.')
		default:
			b.WriteByte('?')
		}
	}
	return b.String()
}
