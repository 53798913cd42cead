package publish

import (
	"math"
	"slices"
	"strconv"
	"time"

	"scalableappbackend/loadgen/result"
)

// PerDecade is how many buckets of a [Grid] a factor of ten has: as many as one datum may have values
// (https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html), so that latencies which differ by
// less than a factor of ten fit into one.
const PerDecade = 150

// Grid is the buckets into which latencies are counted: 150 for each factor of ten, from 1 µs to above 1 h. Bucket k holds
// the whole microseconds from 10^(k/150) to below 10^((k+1)/150), and stands for the geometric mean of the first and the last
// of them. That is at most a factor of 10^(1/300), 0.77 %, away from each, and with the 0.1 % of the histograms that are
// counted into it a percentile is off by less than 1 %. Below 65 µs a bucket holds one value, and is exact.
//
// A Grid is the same everywhere: its values are rounded to six digits, so that no processor's arithmetic shows in them.
type Grid struct {
	lowest []int64   // of each bucket that is not empty, in microseconds, ascending
	values []float64 // what it stands for, in milliseconds
}

// NewGrid makes the grid.
func NewGrid() *Grid {
	// A histogram's last bucket reaches a little beyond the longest latency.
	end := int64(result.MaxLatency/time.Microsecond) * 1001 / 1000
	g := &Grid{}
	for k, from := 1, int64(1); from <= end; k++ {
		to := int64(math.Ceil(edge(k))) // the first of the next bucket
		if to == from {
			continue // no whole microsecond lies in it
		}
		g.lowest = append(g.lowest, from)
		g.values = append(g.values, sixDigits(math.Sqrt(float64(from)*float64(to-1))/1000))
		from = to
	}
	return g
}

// edge is 10^(k/150); whole powers of ten are exact.
func edge(k int) float64 {
	return math.Pow10(k/PerDecade) * math.Pow(10, float64(k%PerDecade)/PerDecade)
}

func sixDigits(x float64) float64 {
	x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64) // what it wrote it reads
	return x
}

// Distribution is latencies as PutMetricData takes them: ascending values in milliseconds, and how often each was seen.
type Distribution struct {
	Values, Counts []float64
}

// Of counts a histogram into the grid. A nil one is empty.
func (g *Grid) Of(h *result.Histogram) Distribution {
	var d Distribution
	last := -1
	for micros, n := range h.Buckets {
		i, found := slices.BinarySearch(g.lowest, micros)
		if !found {
			i--
		}
		if i != last {
			d.Values, d.Counts = append(d.Values, g.values[i]), append(d.Counts, 0)
			last = i
		}
		d.Counts[len(d.Counts)-1] += float64(n)
	}
	return d
}

// Split divides a distribution into parts of at most n values each.
func (d Distribution) Split(n int) []Distribution {
	var parts []Distribution
	for len(d.Values) > n {
		parts = append(parts, Distribution{d.Values[:n:n], d.Counts[:n:n]})
		d = Distribution{d.Values[n:], d.Counts[n:]}
	}
	if len(d.Values) > 0 {
		parts = append(parts, d)
	}
	return parts
}
