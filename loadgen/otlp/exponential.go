package otlp

import (
	"math"

	"scalableappbackend/loadgen/result"
)

// Scale of the exponential histograms: 2^Scale buckets to a power of two, so that a bucket is 2^(1/128), or 0.54 %, wide.
// At 1 ms to 1 s that is 1,280 buckets, most of them zeros that take a byte before compression; a run of 1 µs to 1 h
// takes 4,063 at most.
const Scale = 7

// RelativeError is how far a percentile that is read from an exponential histogram may be from the one that the HDR
// histogram gives, whichever value of its bucket the reader takes: the width of a bucket, as a share of the value.
var RelativeError = math.Exp2(math.Exp2(-Scale)) - 1

// Distribution is a histogram of latencies in the form of OTLP's ExponentialHistogramDataPoint, in seconds.
type Distribution struct {
	Count    uint64
	Sum      float64 // each value standing for the middle of its HDR bucket
	Min, Max float64
	Offset   int32    // index of the first of Buckets
	Buckets  []uint64 // bucket i holds values above 2^(i/2^Scale) up to and including 2^((i+1)/2^Scale)
}

// Exponential is a histogram as an exponential one.
//
// Each HDR bucket counts, whole, in the exponential bucket that holds its highest equivalent value, which is what the HDR
// histogram reports a percentile as. The map is monotonic, so the cumulative counts at that value are the same in both:
// the percentile of one lies in the bucket that holds the percentile of the other. A value below 2 ms is exact to 1 µs,
// above it to 1 part in 1,024, and so may count one exponential bucket too high; it is the bucket of its percentile all the
// same.
func Exponential(h *result.Histogram) Distribution {
	d := Distribution{Count: uint64(h.Count())}
	if d.Count == 0 {
		return d
	}
	first := true
	for lowest, n := range h.Buckets {
		highest := result.HighestEquivalent(lowest)
		d.Sum += seconds(float64(lowest+highest)/2) * float64(n)
		at := bucketOf(seconds(float64(highest)))
		if first {
			d.Offset, first = at, false
		}
		for int32(len(d.Buckets)) <= at-d.Offset { // buckets come in ascending order
			d.Buckets = append(d.Buckets, 0)
		}
		d.Buckets[at-d.Offset] += uint64(n)
	}
	d.Min, d.Max = h.Min().Seconds(), h.Max().Seconds()
	return d
}

func seconds(micros float64) float64 { return micros / 1e6 }

// bucketOf is the index of the bucket that holds a value: ceil(log2(v)·2^Scale) − 1, by the specification's formula with
// the logarithm (metrics data model, "All Scales: Use the Logarithm Function"). A power of two is the upper end of
// its bucket, exactly: there the logarithm is not to be trusted. No other value with six decimals lies on an end.
func bucketOf(v float64) int32 {
	fraction, exponent := math.Frexp(v)
	if fraction == 0.5 {
		return int32((exponent-1)<<Scale) - 1
	}
	return int32(math.Ceil(math.Log2(v)*math.Exp2(Scale))) - 1
}
