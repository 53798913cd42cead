package measure

import (
	"math/bits"
	"time"

	"scalableappbackend/loadgen/result"
)

// counts is the hot form of a result.Histogram: the same buckets, as plain counters behind an index
// that is two shifts away from the value. A dense histogram of this range has 188 KB of counters,
// of which a second of latencies touches a few hundred, close together; so the counters come in
// pages of one power of two (4 KB), made when first touched. Recording costs some nanoseconds
// where the sparse form searches for tens, and emptying costs what was touched.
type counts struct {
	pages [pages]*page
	n     int64
}

const (
	// subBits is log2 of the counters that tell values apart within a power of two: 2,048 counters
	// give 3 significant digits, of which all but the lowest page need only the upper half.
	subBits  = 11
	pageSize = 1 << (subBits - 1)
	// pages covers 1 µs to 1 h: 3.6e9 µs has 32 bits.
	pages = 32 - subBits + 2
)

type page [pageSize]uint32

// at says where a value in microseconds is counted.
func at(micros uint64) (pageIndex, slot int) {
	if micros < pageSize {
		return 0, int(micros)
	}
	shift := bits.Len64(micros) - subBits // at least 0: the value has subBits bits or more
	return shift + 1, int(micros>>shift) & (pageSize - 1)
}

// lowest is the smallest value in microseconds that is counted there: the inverse of at.
func lowest(pageIndex, slot int) time.Duration {
	if pageIndex == 0 {
		return time.Duration(slot) * time.Microsecond
	}
	return time.Duration(int64(pageSize|slot)<<(pageIndex-1)) * time.Microsecond
}

// add counts one latency and reports whether it was above the range, and counted as its end.
func (c *counts) add(d time.Duration) (clamped bool) {
	micros, clamped := result.Micros(d)
	p, s := at(uint64(micros))
	if c.pages[p] == nil {
		c.pages[p] = new(page)
	}
	c.pages[p][s]++
	c.n++
	return clamped
}

// drainInto moves everything into h; the pages stay for the next second.
func (c *counts) drainInto(h *result.Histogram) {
	if c.n == 0 {
		return
	}
	for i, p := range c.pages {
		if p == nil {
			continue
		}
		for s, n := range p {
			if n > 0 {
				h.RecordN(lowest(i, s), int64(n))
				p[s] = 0
			}
		}
	}
	c.n = 0
}
