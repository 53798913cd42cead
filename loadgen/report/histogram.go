package report

import (
	"math"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/document"
	"scalableappbackend/loadgen/result"
)

// maxBins is how many lines a histogram has at most.
const maxBins = 12

// histogram is how often the run's corrected latencies lie between bounds, as hey and oha draw it; but their bounds are
// equally far apart, so that one slow answer puts all others on one line. These are preferred numbers (ISO 3): each a
// factor above the one before, the smallest factor with which the lines are few.
func histogram(in Input) document.Histogram {
	h := in.Result.Corrected
	if h == nil && in.Windows != nil {
		var all result.EndpointWindow
		for w, err := range in.Windows {
			if err != nil {
				break // a report of what could be read says so elsewhere, or is of a format that fails
			}
			all.Add(w.Total())
		}
		h = all.Corrected
	}
	out := document.Histogram{Name: "latency histogram (corrected): answers up to each bound"}
	if h.Count() == 0 {
		return out
	}
	var low, high float64 // of the histogram's own buckets, as they are counted below
	for micros := range h.Buckets {
		if high = float64(micros); low == 0 {
			low = high
		}
	}
	bounds := boundsOf(low, high)
	counts := make([]int64, len(bounds))
	for micros, n := range h.Buckets {
		i := 0
		for i < len(bounds)-1 && float64(micros) > bounds[i] {
			i++
		}
		counts[i] += n
	}
	for i, n := range counts {
		out.Bins = append(out.Bins, document.Bin{UpTo: units.Milliseconds(bounds[i] / 1000), Count: n, Text: units.Count(n)})
	}
	return out
}

// renard are the preferred numbers R40, from 1 to below 10 (ISO 3:1973).
var renard = [...]float64{
	1.00, 1.06, 1.12, 1.18, 1.25, 1.32, 1.40, 1.50, 1.60, 1.70, 1.80, 1.90, 2.00, 2.12, 2.24, 2.36, 2.50, 2.65, 2.80, 3.00,
	3.15, 3.35, 3.55, 3.75, 4.00, 4.25, 4.50, 4.75, 5.00, 5.30, 5.60, 6.00, 6.30, 6.70, 7.10, 7.50, 8.00, 8.50, 9.00, 9.50,
}

// series are ever fewer of them: R40, R20, R10, R5, 1-2-5 and powers of ten.
func series() [][]float64 {
	every := func(n int) (some []float64) {
		for i := 0; i < len(renard); i += n {
			some = append(some, renard[i])
		}
		return some
	}
	return [][]float64{renard[:], every(2), every(4), {1, 1.6, 2.5, 4, 6.3}, {1, 2, 5}, {1}}
}

// boundsOf are those of the finest series that has at most maxBins of them from the lowest value to the highest. The last
// one is at or above the highest.
func boundsOf(low, high float64) (found []float64) {
	for _, mantissas := range series() {
		found = found[:0]
		for exponent := math.Floor(math.Log10(max(low, 1))); len(found) == 0 || found[len(found)-1] < high; exponent++ {
			for _, m := range mantissas {
				b := m * math.Pow(10, exponent)
				if b >= low && (len(found) == 0 || found[len(found)-1] < high) {
					found = append(found, b)
				}
			}
			if len(found) > 200 {
				break
			}
		}
		if len(found) <= maxBins {
			return found
		}
	}
	return found
}
