package result

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/bits"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The range and precision of every latency that a run keeps.
const (
	// MinLatency is the resolution; a shorter time is counted as this one.
	MinLatency = time.Microsecond
	// MaxLatency is the longest time told apart; a longer one is counted as this one.
	MaxLatency = time.Hour
	// SignificantDigits of a recorded value survive: 1 part in 1,000.
	SignificantDigits = 3

	minMicros = int64(MinLatency / time.Microsecond)
	maxMicros = int64(MaxLatency / time.Microsecond)
	// 2^subBucketBits is what 3 digits need: the smallest power of two ≥ 2·10³.
	subBucketBits = 11
)

// Histogram counts latencies in microseconds, 1 µs to 1 h, to 3 significant digits.
// It is the only form in which a latency leaves a run: histograms are added, never averaged.
//
// The zero value is empty and ready. It takes memory for what it holds (some 10 bytes a distinct
// value), not for its range. It does no locking, and must not be copied once something was recorded.
type Histogram struct {
	packed *hdrhistogram.PackedHistogram
}

func (h *Histogram) storage() *hdrhistogram.PackedHistogram {
	if h.packed == nil {
		h.packed = hdrhistogram.NewPacked(minMicros, maxMicros, SignificantDigits)
	}
	return h.packed
}

// Record counts one latency, rounded to the nearest microsecond.
// It reports whether the value was above MaxLatency and was counted as MaxLatency.
func (h *Histogram) Record(d time.Duration) (clamped bool) { return h.RecordN(d, 1) }

// RecordN counts the same latency n times.
func (h *Histogram) RecordN(d time.Duration, n int64) (clamped bool) {
	micros, clamped := Micros(d)
	// The value is inside the range by now, and a total past 2^63 is out of a run's reach.
	_ = h.storage().RecordValues(micros, n)
	return clamped
}

// Micros is a latency as a Histogram counts it: rounded to the nearest microsecond, at least
// MinLatency and at most MaxLatency. clamped says that it was above.
func Micros(d time.Duration) (micros int64, clamped bool) {
	if d >= MaxLatency {
		return maxMicros, d > MaxLatency
	}
	return max(int64((d+time.Microsecond/2)/time.Microsecond), minMicros), false
}

// Count is the number of values recorded; a nil Histogram has none.
func (h *Histogram) Count() int64 {
	if h == nil || h.packed == nil {
		return 0
	}
	return h.packed.TotalCount()
}

// Merge adds all of from's counts; from stays as it is and may be nil.
func (h *Histogram) Merge(from *Histogram) {
	if from.Count() == 0 {
		return
	}
	to := h.storage()
	// The library's merge walks both lists of buckets. A second of one endpoint among hundreds
	// holds a handful of values and goes into a histogram of thousands, once for each of them.
	if small := to.Populated() / 32; from.packed.Populated() < small {
		for micros, n := range from.Buckets {
			_ = to.RecordValues(micros, n)
		}
		return
	}
	to.Merge(from.packed)
}

// Sum is a new histogram of all that others hold; nil ones are empty.
func Sum(of ...*Histogram) *Histogram {
	all := &Histogram{}
	for _, h := range of {
		all.Merge(h)
	}
	return all
}

// minus is what is left of h without the counts of part, and whether all of part is in h.
func (h *Histogram) minus(part *Histogram) (*Histogram, bool) {
	counts := maps.Collect(part.Buckets)
	rest := &Histogram{}
	for v, n := range h.Buckets {
		if n -= counts[v]; n < 0 {
			return nil, false
		}
		if delete(counts, v); n > 0 {
			_ = rest.storage().RecordValues(v, n)
		}
	}
	return rest, len(counts) == 0
}

// Clone returns an independent copy; the copy of a nil Histogram is empty.
func (h *Histogram) Clone() *Histogram {
	if h == nil || h.packed == nil {
		return &Histogram{}
	}
	return &Histogram{packed: h.packed.Clone()}
}

// Equal reports whether both hold the same counts in the same buckets.
func (h *Histogram) Equal(other *Histogram) bool {
	if h.Count() != other.Count() {
		return false
	}
	type bucket struct{ value, count int64 }
	var mine, theirs []bucket
	for v, n := range h.Buckets {
		mine = append(mine, bucket{v, n})
	}
	for v, n := range other.Buckets {
		theirs = append(theirs, bucket{v, n})
	}
	if len(mine) != len(theirs) {
		return false
	}
	for i := range mine {
		if mine[i] != theirs[i] {
			return false
		}
	}
	return true
}

// Buckets calls yield for each bucket that holds something, in ascending order, with the lowest
// value in microseconds that the bucket stands for and its count. It can be ranged over.
func (h *Histogram) Buckets(yield func(micros, count int64) bool) {
	if h != nil && h.packed != nil {
		h.packed.ForEachBucket(yield)
	}
}

// bucketShift is log2 of the width of the bucket that holds a value.
func bucketShift(micros int64) int { return max(0, bits.Len64(uint64(micros))-subBucketBits) }

// highestEquivalent is the largest value in the same bucket.
func highestEquivalent(micros int64) int64 {
	return micros | (int64(1)<<bucketShift(micros) - 1)
}

// HighestEquivalent is the largest value in microseconds that is counted in the same bucket as a given one: what a
// percentile that falls into the bucket is reported as.
func HighestEquivalent(micros int64) int64 { return highestEquivalent(micros) }

// Quantile returns the latency that a share q (0 to 1) of the values does not exceed: the highest
// equivalent value of the first bucket at which the cumulative count reaches ceil(q·n), at least 1,
// which is what Java's HdrHistogram answers (AbstractHistogram.getValueAtPercentile of 2.2).
// For q = 0 it is Min, as there. It is 0 when nothing was recorded.
//
// The library's own ValueAtPercentile rounds q·n to the nearest integer instead, which for small n
// names a value that fewer than q of the values stay below.
func (h *Histogram) Quantile(q float64) time.Duration {
	n := h.Count()
	if n == 0 {
		return 0
	}
	if !(q > 0) {
		return h.Min()
	}
	rank := quantileRank(q, n)
	var seen, at int64
	for v, count := range h.Buckets {
		seen += count
		if seen >= rank {
			at = v
			break
		}
	}
	return time.Duration(highestEquivalent(at)) * time.Microsecond
}

// quantileRank is ceil(q·n) within 1..n. As in Java's HdrHistogram, q first goes down to the next
// smaller float64: 0.07·100 is 7.000000000000001 in floats and must ask for rank 7. One step is
// enough and not too much: a decimal q is off by half a step at most, so the product stays at or
// below a whole q·n, and above the whole number before it for every n below 2^51. Java's own
// arithmetic is in percent, (p−ulp)·n/100, and asks for the same ranks.
func quantileRank(q float64, n int64) int64 {
	rank := int64(math.Ceil(math.Nextafter(min(q, 1), 0) * float64(n)))
	return min(max(rank, 1), n)
}

// Mean is the average, each value standing for the middle of its bucket; 0 when empty.
func (h *Histogram) Mean() time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return fromMicros(h.packed.Mean())
}

// StdDev is the population standard deviation, from the middles of the buckets; 0 when empty.
func (h *Histogram) StdDev() time.Duration {
	if h.Count() == 0 {
		return 0
	}
	return fromMicros(h.packed.StdDev())
}

// Min is the lowest value of the lowest bucket; 0 when empty.
func (h *Histogram) Min() time.Duration {
	for v := range h.Buckets {
		return time.Duration(v) * time.Microsecond
	}
	return 0
}

// Max is the highest value of the highest bucket; 0 when empty.
func (h *Histogram) Max() time.Duration { return h.Quantile(1) }

func fromMicros(v float64) time.Duration {
	return time.Duration(math.Round(v * float64(time.Microsecond)))
}

// maxText bounds the text of one histogram: some 24,000 buckets of 9 bytes, incompressible, in base64.
const maxText = 300_000

// MarshalText writes the V2 compressed form, base64, that every HdrHistogram library reads.
func (h *Histogram) MarshalText() ([]byte, error) {
	var e encoder
	return e.appendText(nil, h), nil
}

// UnmarshalText reads the V2 compressed form, whatever range and precision it was written with.
// Values above MaxLatency, and a text larger than any histogram of this range, are refused.
func (h *Histogram) UnmarshalText(text []byte) error {
	text = bytes.TrimSpace(text)
	if len(text) > maxText {
		return fmt.Errorf("histogram: %d bytes of text, want at most %d", len(text), maxText)
	}
	packed, err := hdrhistogram.DecodePacked(text)
	if err != nil {
		return fmt.Errorf("histogram: %w", err)
	}
	var read Histogram
	for v, n := range packed.ForEachBucket {
		if v > highestEquivalent(maxMicros) {
			return errors.New("histogram: holds a value above 1 h")
		}
		if err := read.storage().RecordValues(max(v, 1), n); err != nil {
			return errors.New("histogram: holds more values than can be counted")
		}
	}
	*h = read
	return nil
}
