package publish

import (
	"math"
	"math/bits"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/result"
)

// bound is what the package promises of a percentile.
const bound = 0.01

func TestEveryLatencyIsRoundedByLessThanOnePercent(t *testing.T) {
	g := NewGrid()
	// Each bucket of a histogram by its lowest value, beginning with the first: its highest is what a quantile says.
	end := int64(result.MaxLatency / time.Microsecond)
	for v := int64(1); v <= end; {
		width := int64(1) << max(0, bits.Len64(uint64(v))-11)
		h := &result.Histogram{}
		h.Record(time.Duration(v) * time.Microsecond)
		d := g.Of(h)
		if len(d.Values) != 1 || d.Counts[0] != 1 {
			t.Fatalf("%d µs: %+v", v, d)
		}
		for _, latency := range []int64{v, v + width - 1} {
			if off := math.Abs(d.Values[0]*1000/float64(latency) - 1); off >= bound {
				t.Fatalf("%d µs is published as %v ms, %.3g %% off", latency, d.Values[0], 100*off)
			}
		}
		if v <= 60 && d.Values[0] != float64(v)/1000 {
			t.Errorf("%d µs is published as %v ms", v, d.Values[0])
		}
		v += width
	}
}

func TestTheGridIsOneForAll(t *testing.T) {
	g, other := NewGrid(), NewGrid()
	if !slices.Equal(g.lowest, other.lowest) || !slices.Equal(g.values, other.values) {
		t.Fatal("two grids differ")
	}
	if !slices.IsSorted(g.values) || len(slices.Compact(slices.Clone(g.values))) != len(g.values) {
		t.Error("the values do not ascend")
	}
	// A task of another version, or on another processor, publishes these as well: they must never change.
	for _, x := range []struct {
		latency time.Duration
		value   float64
	}{
		{time.Microsecond, 0.001}, {100 * time.Microsecond, 0.100499}, {time.Millisecond, 1.00747}, {12345 * time.Microsecond, 12.3026},
		{time.Second, 992.354}, {time.Hour, 3.60302e+06},
	} {
		h := &result.Histogram{}
		h.Record(x.latency)
		if got := g.Of(h).Values[0]; got != x.value {
			t.Errorf("%v is published as %v ms, want %v", x.latency, got, x.value)
		}
	}
}

// The proof that the package exists for: N tasks publish their windows, each for itself and in datums of at most 150 values,
// and a percentile of all that they published is one of all requests.
func TestPercentilesOfWhatTasksPublishedAreThoseOfAllRequests(t *testing.T) {
	g := NewGrid()
	rapid.Check(t, func(t *rapid.T) {
		all := &result.Histogram{}
		published := map[float64]int64{}
		for range rapid.IntRange(1, 6).Draw(t, "tasks") {
			for range rapid.IntRange(1, 4).Draw(t, "windows") {
				h := &result.Histogram{}
				// A log-uniform latency: of a task that is fast, slow, or all over the range.
				low := rapid.Float64Range(0, 9.5).Draw(t, "low")
				span := rapid.Float64Range(0, 9.5-low).Draw(t, "span")
				for range rapid.IntRange(0, 60).Draw(t, "latencies") {
					micros := math.Pow(10, low+span*rapid.Float64Range(0, 1).Draw(t, "at"))
					h.RecordN(time.Duration(micros*float64(time.Microsecond)), rapid.Int64Range(1, 1000).Draw(t, "n"))
				}
				all.Merge(h)
				for _, part := range g.Of(h).Split(maxValues) {
					if len(part.Values) > maxValues || len(part.Values) != len(part.Counts) {
						t.Fatalf("a datum of %d values and %d counts", len(part.Values), len(part.Counts))
					}
					for i, v := range part.Values {
						published[v] += int64(part.Counts[i])
					}
				}
			}
		}
		if all.Count() == 0 {
			return
		}
		for _, q := range []float64{0, 0.5, 0.9, 0.95, 0.99, 0.999, 1} {
			want := milliseconds(all.Quantile(q))
			if got := quantile(published, q, all.Count()); math.Abs(got/want-1) >= bound {
				t.Fatalf("p%v of what was published is %v ms, of the requests %v ms", 100*q, got, want)
			}
		}
	})
}

// quantile is the nearest-rank percentile of values and counts, and fails to find one when they do not add up to n.
func quantile(counts map[float64]int64, q float64, n int64) float64 {
	values := make([]float64, 0, len(counts))
	var sum int64
	for v, c := range counts {
		values = append(values, v)
		sum += c
	}
	if sum != n {
		return math.NaN()
	}
	slices.Sort(values)
	rank := max(int64(math.Ceil(math.Nextafter(q, 0)*float64(n))), 1)
	for _, v := range values {
		if rank -= counts[v]; rank <= 0 {
			return v
		}
	}
	return math.NaN()
}
