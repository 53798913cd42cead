package measure

import (
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/result"
)

// The oracle is the histogram itself: counting in pages and emptying them into one must give, bucket by
// bucket, what recording every value into it gives.
func TestCountsEmptyIntoTheHistogramOfTheSameValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOf(rapid.OneOf(
			rapid.Int64Range(0, int64(3*time.Millisecond)),
			rapid.Int64Range(0, int64(2*time.Hour)),
			rapid.SampledFrom(edges()),
		)).Draw(t, "values")
		var c counts
		var pages pagePool
		var got, want result.Histogram
		var clamped, wantClamped int
		for _, v := range values {
			if c.add(time.Duration(v), &pages) {
				clamped++
			}
			if want.Record(time.Duration(v)) {
				wantClamped++
			}
		}
		c.drainInto(&got, &pages)
		if !got.Equal(&want) {
			t.Fatalf("pages and histogram differ for %v", values)
		}
		if clamped != wantClamped {
			t.Fatalf("clamped %d, want %d", clamped, wantClamped)
		}
		var again result.Histogram
		c.drainInto(&again, &pages)
		if again.Count() != 0 {
			t.Fatalf("%d values left after emptying", again.Count())
		}
	})
}

// edges are the values around every change of page and of bucket width.
func edges() []int64 {
	var out []int64
	for shift := range 33 {
		for d := int64(-2); d <= 2; d++ {
			out = append(out, (int64(1)<<shift+d)*int64(time.Microsecond))
		}
	}
	return append(out, int64(time.Hour), int64(time.Hour)+1, int64(time.Hour)-1, 499, 500, 501, 1499, 1500)
}

func BenchmarkCountsAdd(b *testing.B) {
	values := make([]time.Duration, 4096)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range values {
		values[i] = time.Duration(3e6 + r.ExpFloat64()*2e6)
	}
	var c counts
	var pages pagePool
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		c.add(values[i&4095], &pages)
		i++
	}
}
