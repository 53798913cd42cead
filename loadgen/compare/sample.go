package compare

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// How a single run is cut into blocks for the bootstrap. Seconds beside each other are alike (a lag-1
// correlation of 0.6 was measured), so that blocks of 5 s have a correlation of some 0.2 left.
const (
	blockSeconds = 5
	mostBlocks   = 60
	resamples    = 200
)

// scope is a part of a run.
type scope struct{ endpoint, phase string }

// sample is one run within a scope, cut into blocks.
type sample struct {
	seconds            float64
	requests, failures int64
	completed          int64
	all                *result.Histogram
	micros             []int64 // every bucket of all, ascending
	blocks             []block
}

type block struct {
	seconds                       float64
	requests, failures, completed float64
	bucket                        []int32 // indices into micros
	count                         []float64
}

// sampleOf adds up a scope of a run. Without a phase it is the steady part, where there is one.
func sampleOf(r *Run, s scope) *sample {
	phase := s.phase
	if phase == "" && slices.ContainsFunc(r.Blocks, func(b Block) bool { return b.Phase == plan.Steady }) {
		phase = plan.Steady
	}
	endpoint := slices.Index(r.EndpointsOf, s.endpoint)
	out := &sample{all: &result.Histogram{}}
	var parts []Block // each with one part: the scope's
	for i := range r.Blocks {
		b := &r.Blocks[i]
		if phase != "" && b.Phase != phase || s.endpoint != "" && endpoint < 0 {
			continue
		}
		sum := Part{Corrected: &result.Histogram{}}
		for j, p := range b.Parts {
			if s.endpoint == "" || j == endpoint {
				sum.plus(&p)
			}
		}
		out.seconds += b.Seconds
		out.requests, out.failures, out.completed = out.requests+sum.Requests, out.failures+sum.Failures, out.completed+sum.Completed
		out.all.Merge(sum.Corrected)
		parts = append(parts, Block{Seconds: b.Seconds, Parts: []Part{sum}})
	}
	for v := range out.all.Buckets {
		out.micros = append(out.micros, v)
	}
	out.cut(parts)
	return out
}

// plus adds another part to a sum that has a histogram of its own.
func (p *Part) plus(more *Part) {
	p.Requests += more.Requests
	p.Failures += more.Failures
	p.Completed += more.Completed
	p.Corrected.Merge(more.Corrected)
}

// cut makes blocks of at least blockSeconds, at most mostBlocks; what is left goes to the last one.
func (s *sample) cut(parts []Block) {
	length := math.Max(blockSeconds, s.seconds/mostBlocks) - 1e-6
	var at float64
	sum := Part{Corrected: &result.Histogram{}}
	left := s.seconds
	for _, p := range parts {
		part := p.Parts[0]
		at, left = at+p.Seconds, left-p.Seconds
		sum.plus(&part)
		if at < length || left > 1e-6 && left < length {
			continue
		}
		b := block{seconds: at, requests: float64(sum.Requests), failures: float64(sum.Failures), completed: float64(sum.Completed)}
		for v, n := range sum.Corrected.Buckets {
			i, _ := slices.BinarySearch(s.micros, v)
			b.bucket, b.count = append(b.bucket, int32(i)), append(b.count, float64(n))
		}
		s.blocks = append(s.blocks, b)
		at, sum = 0, Part{Corrected: &result.Histogram{}}
	}
}

// value is a figure of the whole sample: ms, 1/s or a ratio. NaN where there is none.
func (s *sample) value(m Metric) float64 {
	switch {
	case m.Kind == gate.RPS && s.seconds > 0:
		return float64(s.completed) / s.seconds
	case m.Kind == gate.ErrorRate && s.requests > 0:
		return float64(s.failures) / float64(s.requests)
	case m.isLatency() && s.all.Count() > 0:
		if m.Kind == gate.Percentile {
			return float64(s.all.Quantile(m.Percentile/100)) / float64(time.Millisecond)
		}
		return float64(s.all.Mean()) / float64(time.Millisecond)
	}
	return math.NaN()
}

// scaled is a figure as it is compared: the logarithm, but of error_rate.
func (m Metric) scaled(v float64) float64 {
	if m.Kind == gate.ErrorRate {
		return v
	}
	if v <= 0 {
		return math.NaN()
	}
	return math.Log(v)
}

// deviations are the standard errors of the metrics, scaled, by the bootstrap over blocks; NaN of fewer
// than two blocks.
func (s *sample) deviations(metrics []Metric, rng *rand.Rand) []float64 {
	n := len(s.blocks)
	errs := make([]float64, len(metrics))
	if n < 2 {
		for i := range errs {
			errs[i] = math.NaN()
		}
		return errs
	}
	points := make([]float64, len(metrics)) // of all blocks, scaled
	for i, m := range metrics {
		v := s.value(m)
		if m.isLatency() {
			v *= 1000 // counts are of microseconds
		}
		points[i] = m.scaled(v)
	}
	sums, squares := make([]float64, len(metrics)), make([]float64, len(metrics))
	counts := make([]float64, len(s.micros))
	times := make([]float64, n)
	for range resamples {
		clear(counts)
		clear(times)
		for range n {
			times[rng.IntN(n)]++
		}
		var seconds, requests, failures, completed, total, weighted float64
		for i, k := range times {
			if k == 0 {
				continue
			}
			b := &s.blocks[i]
			seconds, requests, failures = seconds+k*b.seconds, requests+k*b.requests, failures+k*b.failures
			completed += k * b.completed
			for j, at := range b.bucket {
				c := k * b.count[j]
				counts[at] += c
				total += c
				weighted += c * float64(s.micros[at])
			}
		}
		for i, m := range metrics {
			v := math.NaN()
			switch m.Kind {
			case gate.RPS:
				v = completed / seconds
			case gate.ErrorRate:
				v = failures / math.Max(requests, 1)
			case gate.Mean:
				v = weighted / math.Max(total, 1)
			case gate.Percentile:
				v = s.rank(counts, math.Ceil(m.Percentile/100*total))
			}
			d := m.scaled(v) - points[i]
			if math.IsNaN(d) {
				d = 0 // nothing of it in these blocks
			}
			sums[i] += d
			squares[i] += d * d
		}
	}
	for i := range errs {
		mean := sums[i] / resamples
		errs[i] = math.Sqrt(math.Max(0, squares[i]/resamples-mean*mean) * resamples / (resamples - 1) * float64(n) / float64(n-1))
	}
	return errs
}

func (s *sample) rank(counts []float64, rank float64) float64 {
	seen := 0.0
	for i, c := range counts {
		if seen += c; seen >= rank && c > 0 {
			return float64(s.micros[i])
		}
	}
	return math.NaN()
}

// tail is how many requests lie beyond a percentile.
func (s *sample) tail(m Metric) float64 {
	if m.Kind != gate.Percentile {
		return math.Inf(1)
	}
	return float64(s.all.Count()) * (1 - m.Percentile/100)
}

func byStart(a, b *Run) int { return cmp.Or(a.Started.Compare(b.Started), cmp.Compare(a.Dir, b.Dir)) }
