package units

import (
	"math"
	"strconv"
	"time"
)

// Latency prints a time that somebody waited, with three digits that mean something and never
// below a microsecond, which is the resolution of every latency kept:
//
//	below 1 ms    0.412 ms
//	below 10 ms   3.41 ms
//	below 100 ms  31.2 ms
//	below 1 s     312 ms
//	below 10 s    1.25 s
//	below 100 s   12.5 s
//	from then on  125 s, 3,600 s
//
// The row is chosen after rounding: 9.995 ms is 10.0 ms. Nothing at all is 0 ms; what is not
// nothing and yet rounds to it is <0.001 ms.
func Latency(d time.Duration) string {
	if d < 0 {
		return negative(Latency(opposite(d)))
	}
	if d == 0 {
		return "0 ms"
	}
	for _, row := range [...]struct {
		below time.Duration // of the rounded time
		step  time.Duration // of the last digit
		unit  time.Duration
		name  string
		width int // digits after the point
	}{
		{time.Millisecond, time.Microsecond, time.Millisecond, " ms", 3},
		{10 * time.Millisecond, 10 * time.Microsecond, time.Millisecond, " ms", 2},
		{100 * time.Millisecond, 100 * time.Microsecond, time.Millisecond, " ms", 1},
		{time.Second, time.Millisecond, time.Millisecond, " ms", 0},
		{10 * time.Second, 10 * time.Millisecond, time.Second, " s", 2},
		{100 * time.Second, 100 * time.Millisecond, time.Second, " s", 1},
		{math.MaxInt64, time.Second, time.Second, " s", 0},
	} {
		rounded := d.Round(row.step)
		if rounded >= row.below {
			continue
		}
		if rounded == 0 {
			return "<0.001 ms"
		}
		// Exact: rounded is a whole number of steps, and a step is a power of ten of the unit.
		text := Count(int64(rounded / row.unit))
		if row.width > 0 {
			fraction := strconv.FormatInt(int64(rounded%row.unit/row.step+row.unit/row.step), 10)
			text += "." + fraction[1:]
		}
		return text + row.name
	}
	return Count(int64(d/time.Second)) + " s" // rounding would leave the range of a Duration
}

// opposite is −d; of the lowest Duration, which has none, the highest.
func opposite(d time.Duration) time.Duration {
	if d == math.MinInt64 {
		return math.MaxInt64
	}
	return -d
}

// Milliseconds is Latency of a number of milliseconds, as results hold them; None when unknown.
func Milliseconds(ms float64) string {
	if !finite(ms) {
		return None
	}
	ns := math.Round(ms * float64(time.Millisecond))
	if math.Abs(ns) >= math.MaxInt64 {
		return None
	}
	return Latency(time.Duration(ns))
}
