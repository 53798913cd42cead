package publish

import (
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// point is one value of one metric for one period: what becomes a datum.
type point struct {
	metric   *Metric
	at       time.Time // when the period began
	endpoint string    // the dimension Endpoint; empty: of the service as a whole
	run      string    // the dimension Run; empty: not apart for a run
	value    float64
	Distribution
}

// periods adds up a run's windows by whole periods of the wall clock. A window belongs to the period in which its middle
// lies, so that of windows of a second each second has one.
type periods struct {
	config  *Config
	metrics []Metric
	began   time.Time
	names   []string // of endpoints, as dimensions
	run     string
	grid    *Grid

	at  time.Time // when the current one began; zero: there is none
	now period
}

// period is what the windows of one period add up to.
type period struct {
	endpoints []sums // by index, and the service as a whole behind them
	users     int
	offered   int64
	dropped   int64
	load      time.Duration // of it, before the drain
}

type sums struct {
	seen             bool
	requests, errors int64
	corrected, raw   result.Histogram
}

// newPeriods is of a run that began as m says.
func newPeriods(c *Config, m *result.Meta, distributions bool) *periods {
	p := &periods{
		config:  c,
		metrics: metricsOf(m.Plan.Model != plan.Open, c.Several, distributions),
		began:   m.StartedAt,
		grid:    NewGrid(),
	}
	for _, e := range m.Endpoints {
		p.names = append(p.names, dimension(e.Name))
	}
	if c.Run {
		p.run = runOf(m)
	}
	return p
}

// add adds a window. It returns the points of the period that this one ends, if it does.
func (p *periods) add(w *result.Window) []point {
	at := p.began.Add(w.From + (w.To-w.From)/2).Truncate(p.config.resolution())
	var done []point
	if !at.Equal(p.at) {
		done = p.flush()
		p.at, p.now = at, period{endpoints: make([]sums, len(p.names)+1)}
	}
	n := &p.now
	all := &n.endpoints[len(p.names)]
	for i := range w.Endpoints {
		e := &w.Endpoints[i]
		n.endpoints[e.Endpoint].add(e)
		all.add(e)
	}
	for i := range w.Ends {
		// Those that were sent are in the windows of their endpoints; the others belong to none.
		all.errors += w.Ends[i].UnansweredAges.Count()
		n.dropped += w.Ends[i].Dropped
	}
	n.users = max(n.users, w.Users)
	n.offered += w.Offered
	if w.Name != plan.Drain {
		n.load += w.To - w.From
	}
	return done
}

func (s *sums) add(e *result.EndpointWindow) {
	s.seen = true
	s.requests += e.Requests
	s.errors += e.Failures + e.Unanswered.Count()
	s.corrected.Merge(e.Corrected)
	s.raw.Merge(e.Raw)
}

// flush returns the points of the current period, and ends it.
func (p *periods) flush() (points []point) {
	if p.at.IsZero() {
		return nil
	}
	for i := range p.now.endpoints {
		s := &p.now.endpoints[i]
		whole := i == len(p.names)
		if !whole && !s.seen {
			continue // nothing happened there
		}
		for j := range p.metrics {
			m := &p.metrics[j]
			if !whole && !m.PerEndpoint {
				continue
			}
			pt := point{metric: m, at: p.at}
			if !p.fill(&pt, s) {
				continue
			}
			if !whole {
				pt.endpoint = p.names[i]
			}
			points = append(points, pt)
			if whole && p.run != "" {
				pt.run = p.run
				points = append(points, pt)
			}
		}
	}
	p.at = time.Time{}
	return points
}

// fill sets a point's value; false when there is none in this period.
func (p *periods) fill(pt *point, s *sums) bool {
	switch pt.metric.Name {
	case Latency:
		pt.Distribution = p.grid.Of(&s.corrected)
		return len(pt.Values) > 0
	case RawLatency:
		pt.Distribution = p.grid.Of(&s.raw)
		return len(pt.Values) > 0
	case LatencyP50:
		pt.value = milliseconds(s.corrected.Quantile(0.5))
		return s.corrected.Count() > 0
	case LatencyP99:
		pt.value = milliseconds(s.corrected.Quantile(0.99))
		return s.corrected.Count() > 0
	case Requests:
		pt.value = float64(s.requests)
	case Errors:
		pt.value = float64(s.errors)
	case Dropped:
		pt.value = float64(p.now.dropped)
	case OfferedRate:
		if p.now.load > 0 {
			pt.value = sixDigits(float64(p.now.offered) / p.now.load.Seconds())
		}
	case Users:
		pt.value = float64(p.now.users)
	default:
		return false // Verdict
	}
	return true
}

// verdict are the points of what the run was judged to be. It is told in the period in which the run ended.
func (p *periods) verdict(r *result.Result) []point {
	level := map[result.Validity]float64{result.Valid: 0, result.Suspect: 1, result.Invalid: 2}[r.Verdict.Validity]
	var points []point
	for i := range p.metrics {
		if m := &p.metrics[i]; m.Name == Verdict {
			points = append(points, point{metric: m, at: r.EndedAt.Truncate(p.config.resolution()), value: level})
			if p.run != "" {
				points = append(points, point{metric: m, at: points[0].at, value: level, run: p.run})
			}
		}
	}
	return points
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
