package report

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"scalableappbackend/loadgen/document"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// chartOf is load, latency and capacity on one axis of time. What is not known has no series.
func chartOf(t *timeline.Timeline, traffic []document.Series) document.Chart {
	ch := document.Chart{Length: t.End, Clocks: axesOf(t), Series: traffic}
	ch.Series = append(ch.Series, capacity(t)...)
	byPolicy, alarms := metricSeries(t)
	ch.Series = append(ch.Series, byPolicy...)
	ch.Series = append(ch.Series, eventSeries(t)...)
	ch.Legend = "█ maximum at the right, _ none"
	if len(traffic) > 1 {
		ch.Legend += "; latency corrected"
	}
	if alarms {
		ch.Legend += "; alarms: H high, L low, . OK, ? insufficient data"
	}
	return ch
}

func axesOf(t *timeline.Timeline) []document.Clock {
	clock := clocksOf(t)
	if !clock.apart() {
		return []document.Clock{{Name: "time", Speed: 1}}
	}
	return []document.Clock{{Name: "run time", Speed: 1}, {Name: "simulated", Speed: float64(clock)}}
}

// loadSpan is when there was load, of how much time.
type loadSpan struct{ from, to, end time.Duration }

func spanOf(t *timeline.Timeline) loadSpan { return loadSpan{t.LoadFrom, t.LoadTo, t.End} }

// The series of ofWindows, by their place.
const (
	seriesOffered = iota
	seriesDone
	seriesP50
	seriesP99
)

// ofWindows are a run's load and latency, and how far they could be read. They are empty of a run without windows.
func ofWindows(t loadSpan, windows iter.Seq2[*result.Window, error]) (all []document.Series, cut error) {
	offered := document.Series{Name: "offered", Unit: document.Rate}
	done := document.Series{Name: "done", Unit: document.Rate, Tone: document.Good}
	p50 := document.Series{Name: "latency p50", Unit: document.Latency, Join: document.Quantile, Q: 0.50}
	p99 := document.Series{Name: "latency p99", Unit: document.Latency, Join: document.Quantile, Q: 0.99, Tone: document.Warn}
	errors := document.Series{Name: "errors", Form: document.Marks, Tone: document.Bad}
	var failures int64
	end := t.to
	for w, err := range windows {
		if err != nil {
			cut = err
			break
		}
		if w.From >= t.end || w.To <= w.From {
			continue
		}
		sum, at := w.Total(), document.Point{From: w.From, To: w.To}
		rate := func(n int64) document.Point { return point(at, float64(n)/w.Seconds()) }
		offered.Points, done.Points = append(offered.Points, rate(w.Offered)), append(done.Points, rate(sum.Requests))
		if sum.Corrected.Count() > 0 {
			at.Latency = sum.Corrected
			p50.Points, p99.Points = append(p50.Points, at), append(p99.Points, at)
		}
		if sum.Failures > 0 {
			failures += sum.Failures
			errors.Points = append(errors.Points, document.Point{From: w.From, To: w.To, Sign: 'x'})
		}
		end = max(end, w.To)
	}
	if len(offered.Points) == 0 {
		return nil, cut
	}
	idle := beside(t, end)
	offered.Points, done.Points = inOrder(offered.Points, idle), inOrder(done.Points, idle)
	all = []document.Series{offered, done, p50, p99}
	if failures > 0 {
		errors.Aside = plural(failures, "error")
		all = append(all, errors)
	}
	return all, cut
}

func point(at document.Point, value float64) document.Point {
	at.Value = value
	return at
}

// beside is the time in which nothing is sent: before the load, and after it and the windows' end.
func beside(t loadSpan, end time.Duration) (idle []document.Point) {
	if t.from > 0 {
		idle = append(idle, document.Point{To: t.from, IsRest: true})
	}
	if end < t.end {
		idle = append(idle, document.Point{From: end, To: t.end, IsRest: true})
	}
	return idle
}

func inOrder(a, b []document.Point) []document.Point {
	all := slices.Concat(a, b)
	slices.SortStableFunc(all, func(a, b document.Point) int { return int(a.From - b.From) })
	return all
}

// ofSteps is a load of which nothing but its rates is known.
func ofSteps(t *timeline.Timeline, load timeline.Load) []document.Series {
	s := document.Series{Name: "offered", Unit: document.Rate}
	end := t.LoadTo
	for _, step := range load {
		s.Points = append(s.Points, document.Point{From: step.From, To: step.To, Value: step.Rate})
		end = max(end, step.To)
	}
	if len(s.Points) == 0 {
		return nil
	}
	s.Points = inOrder(s.Points, beside(spanOf(t), end))
	return []document.Series{s}
}

// capacity is the four counts of tasks.
func capacity(t *timeline.Timeline) (all []document.Series) {
	low, high := t.BoundsAt(t.LoadFrom)
	bounds := fmt.Sprintf("%d to %d tasks", low, high)
	if len(t.Bounds) > 0 {
		bounds = "bounds change"
	}
	for _, c := range []struct {
		name  string
		tone  document.Tone
		join  document.Join
		count func(timeline.Point) int
	}{
		{"desired", document.Dim, document.Last, func(p timeline.Point) int { return p.Desired }},
		{"running", document.Plain, document.Least, func(p timeline.Point) int { return p.Running }},
		{"healthy", document.Good, document.Least, func(p timeline.Point) int { return p.Healthy }},
		{"draining", document.Plain, document.Most, func(p timeline.Point) int { return p.Draining }},
	} {
		s := document.Series{Name: c.name, Form: document.Levels, Tone: c.tone, Join: c.join, Scale: "tasks"}
		least, most := math.MaxInt, 0
		t.Between(0, t.End, func(from, to time.Duration, p timeline.Point) {
			n := c.count(p)
			least, most = min(least, n), max(most, n)
			value := float64(n)
			if c.name == "draining" && n == 0 {
				value = math.NaN() // which is the rule, and not drawn
			}
			s.Points = append(s.Points, document.Point{From: from, To: to, Value: value})
		})
		switch {
		case len(s.Points) == 0, c.name == "draining" && most == 0:
			continue
		case c.name == "desired":
			s.Aside = bounds
		case c.name == "draining":
			s.Aside = "max " + small(most)
		default:
			s.Aside = small(least) + " to " + small(most)
		}
		all = append(all, s)
	}
	return all
}

// metricSeries are the metric and the alarms of each policy.
func metricSeries(t *timeline.Timeline) (all []document.Series, alarms bool) {
	for _, s := range policies(t) {
		if most, known := s.highest(); known || len(s.data) > 0 {
			row := document.Series{Name: s.name, Join: document.Middle, Top: most, Aside: "no data"}
			if known {
				row.Aside = "max " + document.ShortNumber(most) + unitOf(s.name)
			}
			from := time.Duration(0)
			for _, d := range s.data {
				value := d.Value
				if d.Missing {
					value = math.NaN()
				}
				row.Points = append(row.Points, document.Point{From: from, To: d.At, Value: value})
				from = d.At
			}
			all = append(all, row)
		}
		if len(s.alarms) == 0 && len(s.data) == 0 {
			continue
		}
		row := document.Series{Name: "  alarms", Form: document.States, Order: "HL.?", Aside: s.bound, Tone: document.Warn}
		for _, changes := range s.alarms {
			for i, a := range changes {
				p := document.Point{From: a.At, To: t.End}
				if i+1 < len(changes) {
					p.To = changes[i+1].At
				}
				switch {
				case a.State == timeline.Alarm && a.High:
					p.Sign = 'H'
				case a.State == timeline.Alarm:
					p.Sign = 'L'
				case a.State == timeline.OK:
					p.Sign = '.'
				default:
					continue
				}
				row.Points = append(row.Points, p)
			}
		}
		all = append(all, row)
		alarms = true
	}
	return all, alarms
}

// eventSeries numbers what happened as the list below the chart does.
func eventSeries(t *timeline.Timeline) []document.Series {
	row := document.Series{Name: "events", Form: document.Marks}
	for i, e := range shownEvents(t) {
		mark := '*'
		if i < 9 {
			mark = rune('1' + i)
		}
		row.Points = append(row.Points, document.Point{From: e.At, To: e.At, Sign: mark})
	}
	if len(row.Points) == 0 {
		return nil
	}
	return []document.Series{row}
}
