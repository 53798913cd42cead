package otlp

import (
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/result"
)

func drawHistogram(t *rapid.T, label string) *result.Histogram {
	h := &result.Histogram{}
	for _, micros := range rapid.SliceOfN(rapid.OneOf(
		rapid.Int64Range(1, 2100), rapid.Int64Range(1, 3_600_000_000), rapid.SampledFrom([]int64{1, 15_625, 31_250, 62_500, 125_000, 250_000, 500_000, 1_000_000, 2_000_000, 64_000_000, 3_600_000_000}),
	), 1, 60).Draw(t, label) {
		h.RecordN(time.Duration(micros)*time.Microsecond, rapid.Int64Range(1, 5).Draw(t, "n"))
	}
	return h
}

// ends are the ends of the bucket in which the cumulative count reaches ceil(q·n).
func (d Distribution) ends(q float64) (lower, upper float64) {
	rank := max(uint64(math.Ceil(math.Nextafter(q, 0)*float64(d.Count))), 1)
	var seen uint64
	for i, n := range d.Buckets {
		if seen += n; seen >= rank {
			at := float64(d.Offset) + float64(i)
			return math.Exp2(at / (1 << Scale)), math.Exp2((at + 1) / (1 << Scale))
		}
	}
	return 0, 0
}

// The stated error: the percentile of the HDR histogram lies in the exponential bucket that holds the percentile, so that
// any value of that bucket is within RelativeError of it.
func TestEveryPercentileLiesInTheExponentialBucketOfItsRank(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHistogram(t, "values")
		d := Exponential(h)
		for _, q := range []float64{0.001, 0.5, 0.9, 0.95, 0.99, 0.999, 1, rapid.Float64Range(0.0001, 1).Draw(t, "q")} {
			want := h.Quantile(q).Seconds()
			lower, upper := d.ends(q)
			const float = 1e-12 // of Exp2 and Log2
			if !(lower*(1-float) < want && want <= upper*(1+float)) {
				t.Fatalf("p%g is %v, outside of its bucket (%v, %v]", 100*q, want, lower, upper)
			}
			if upper-want > RelativeError*want*(1+1e-9) || want-lower > RelativeError*want*(1+1e-9) {
				t.Fatalf("p%g is %v, further than %v from an end of (%v, %v]", 100*q, want, RelativeError, lower, upper)
			}
		}
		if got := h.Count(); d.Count != uint64(got) {
			t.Fatalf("count %d, want %d", d.Count, got)
		}
		if d.Min != h.Min().Seconds() || d.Max != h.Max().Seconds() {
			t.Fatalf("%v to %v, want %v to %v", d.Min, d.Max, h.Min(), h.Max())
		}
		if mean := h.Mean().Seconds(); math.Abs(d.Sum/float64(d.Count)-mean) > 1e-6 {
			t.Fatalf("sum %v of %d, want a mean of %v", d.Sum, d.Count, mean)
		}
		var sum uint64
		for _, n := range d.Buckets {
			sum += n
		}
		if sum != d.Count || d.Buckets[0] == 0 || d.Buckets[len(d.Buckets)-1] == 0 {
			t.Fatalf("buckets hold %d of %d, or begin or end with nothing: %v", sum, d.Count, d.Buckets)
		}
	})
}

// What receivers add, because it came from several intervals or tasks, is what would have been sent of the sum.
func TestExponentialHistogramsAddUpAsTheOthersDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawHistogram(t, "a"), drawHistogram(t, "b")
		sum := map[int32]uint64{}
		for _, d := range []Distribution{Exponential(a), Exponential(b)} {
			for i, n := range d.Buckets {
				sum[d.Offset+int32(i)] += n
			}
		}
		d := Exponential(result.Sum(a, b))
		for i, n := range d.Buckets {
			if at := d.Offset + int32(i); sum[at] != n {
				t.Fatalf("bucket %d holds %d, want %d", at, n, sum[at])
			}
		}
	})
}

func TestAValueOnTheEndOfABucketIsInIt(t *testing.T) {
	for _, tt := range []struct {
		seconds float64
		want    int32
		why     string
	}{
		{1, -1, "one second is the upper end of (…, 1]"},
		{2, 127, "a power of two"},
		{0.5, -129, "below one"},
		{1.000001, 0, "just above"},
		{0.999999, -1, "just below"},
		{1024, 1279, "a large one"},
		{0.000001, -2552, "the smallest: log2 is −19.93, times 128 −2551.26"},
		{3600, 1512, "the largest: 11.81, times 128 1512.2"},
	} {
		if got := bucketOf(tt.seconds); got != tt.want {
			t.Errorf("%s: %v s is in bucket %d, want %d", tt.why, tt.seconds, got, tt.want)
		}
	}
	if d := Exponential(nil); d.Count != 0 || d.Buckets != nil {
		t.Errorf("nothing became %+v", d)
	}
	var h result.Histogram
	h.Record(time.Second)
	if d := Exponential(&h); d.Offset != 0 || !slices.Equal(d.Buckets, []uint64{1}) {
		// 1 s counts from 1,000,448 µs down to 999,424: its highest equivalent value is above the end at 1 s.
		t.Errorf("1 s became %+v", d)
	}
}
