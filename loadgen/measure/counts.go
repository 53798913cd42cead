package measure

import (
	"math/bits"
	"time"

	"scalableappbackend/loadgen/result"
)

// counts is the hot form of a result.Histogram: the same buckets, as plain counters behind an index
// that is two shifts away from the value. A dense histogram of this range has 188 KB of counters,
// of which a second of latencies touches a few hundred, close together; so the counters come in
// pages of an eighth of a power of two (512 B), taken from a pool when first touched and given back when emptied:
// there are as many as the open windows touch. Recording costs some nanoseconds
// where the sparse form searches for tens, and emptying costs what was touched.
type counts struct {
	pages [pages]*page
	n     int64
}

const (
	// subBits is log2 of the counters that tell values apart within a power of two: 2,048 counters
	// give 3 significant digits, of which all but the lowest power need only the upper half.
	subBits = 11
	half    = 1 << (subBits - 1)
	// powers covers 1 µs to 1 h: 3.6e9 µs has 32 bits.
	powers   = 32 - subBits + 2
	pageSize = half / 8
	pages    = powers * half / pageSize
)

type page [pageSize]uint32

// pagePool keeps empty pages. It has no lock of its own.
type pagePool struct{ free []*page }

func (l *pagePool) take() *page {
	n := len(l.free)
	if n == 0 {
		return new(page)
	}
	p := l.free[n-1]
	l.free = l.free[:n-1]
	return p
}

// at says where a value in microseconds is counted.
func at(micros uint64) (pageIndex, slot int) {
	power, i := 0, micros
	if micros >= half {
		shift := bits.Len64(micros) - subBits // at least 0: the value has subBits bits or more
		power, i = shift+1, micros>>shift&(half-1)
	}
	return power*(half/pageSize) + int(i/pageSize), int(i % pageSize)
}

// lowest is the smallest value in microseconds that is counted there: the inverse of at.
func lowest(pageIndex, slot int) time.Duration {
	i := pageIndex*pageSize + slot
	power, i := i/half, i%half
	if power == 0 {
		return time.Duration(i) * time.Microsecond
	}
	return time.Duration(int64(half|i)<<(power-1)) * time.Microsecond
}

// add counts one latency and reports whether it was above the range, and counted as its end.
func (c *counts) add(d time.Duration, from *pagePool) (clamped bool) {
	micros, clamped := result.Micros(d)
	p, s := at(uint64(micros))
	if c.pages[p] == nil {
		c.pages[p] = from.take()
	}
	c.pages[p][s]++
	c.n++
	return clamped
}

// drainInto moves everything into h, and the pages, which are empty then, into a pool.
func (c *counts) drainInto(h *result.Histogram, to *pagePool) {
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
		c.pages[i] = nil
		to.free = append(to.free, p)
	}
	c.n = 0
}

// histogram moves everything into a new histogram; nil when there is nothing.
func (c *counts) histogram(spent *pagePool) *result.Histogram {
	if c.n == 0 {
		return nil
	}
	h := &result.Histogram{}
	c.drainInto(h, spent)
	return h
}
