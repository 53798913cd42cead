package simulate

import (
	"cmp"
	"iter"
	"slices"
	"sort"
	"time"

	"scalableappbackend/loadgen/autoscaling"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// Latency is the p99 of what a task answers by how much it is asked for, as a run has shown it: in order of Rate. Between
// two points it is on the straight line, beyond them that of the nearest: nothing is made up that was not measured.
type Latency []LatencyPoint

// LatencyPoint is what was measured at a rate.
type LatencyPoint struct {
	Rate float64 // requests/s and task
	P99  time.Duration
}

// Measured collects what windows show of latency by load.
type Measured struct {
	windows []measuredWindow
}

type measuredWindow struct {
	rate     float64
	requests int64
	raw      result.Histogram
}

// Add takes a window in which so many tasks were healthy. What the balancer takes to answer is the raw latency, of
// successes.
func (m *Measured) Add(w *result.Window, healthy int) {
	one := measuredWindow{}
	for i := range w.Endpoints {
		one.requests += w.Endpoints[i].Requests
		one.raw.Merge(w.Endpoints[i].Raw)
	}
	if healthy < 1 || w.To <= w.From || one.raw.Count() == 0 || plan.Idle(w.Name) {
		return
	}
	one.rate = float64(one.requests) / w.Seconds() / float64(healthy)
	m.windows = append(m.windows, one)
}

// LatencyOf is the latency by load of a run, of its windows and of the capacity that was watched.
func LatencyOf(windows iter.Seq2[*result.Window, error], t *timeline.Timeline) (Latency, error) {
	var m Measured
	for w, err := range windows {
		if err != nil {
			return nil, err
		}
		m.Add(w, t.At((w.From+w.To)/2).Healthy)
	}
	return m.Latency(), nil
}

// Of so many windows at least is a point made, and not more points than that: a p99 of few requests is their maximum.
const (
	leastWindows = 3
	mostPoints   = 12
)

// Latency is p99 by rate: windows of like rates are added up, and their p99 is that of all their requests.
func (m *Measured) Latency() (l Latency) {
	all := slices.SortedFunc(slices.Values(m.windows), func(a, b measuredWindow) int { return cmp.Compare(a.rate, b.rate) })
	size := max(leastWindows, (len(all)+mostPoints-1)/mostPoints)
	for part := range slices.Chunk(all, size) {
		var h result.Histogram
		rate := 0.0
		for i := range part {
			h.Merge(&part[i].raw)
			rate += part[i].rate / float64(len(part))
		}
		if n := len(l); n > 0 && rate <= l[n-1].Rate {
			continue
		}
		l = append(l, LatencyPoint{rate, h.Quantile(0.99)})
	}
	return l
}

// At is the p99 at a rate; l has a point.
func (l Latency) At(rate float64) time.Duration {
	i := sort.Search(len(l), func(i int) bool { return l[i].Rate >= rate })
	switch i {
	case 0:
		return l[0].P99
	case len(l):
		return l[i-1].P99
	}
	a, b := l[i-1], l[i]
	return a.P99 + time.Duration((rate-a.Rate)/(b.Rate-a.Rate)*float64(b.P99-a.P99))
}

func (c Config) checkLatency() error {
	if c.Watches(autoscaling.MetricP99) && len(c.Latency) == 0 {
		return refuse("policies", "p99 by load is not known: want --load @DIR of a lab, or of a run that was watched")
	}
	for i := 1; i < len(c.Latency); i++ {
		if c.Latency[i].Rate <= c.Latency[i-1].Rate {
			return refuse("latency", "want points in order of their rates")
		}
	}
	return nil
}
