package plan

import (
	"math"
	"math/rand/v2"
	"time"
)

// Due is the sequence of times at which an open plan's requests are due. It is not for concurrent use.
//
// Uniform: request k, from 0, is due when the integral of the rate leaves k. Poisson: when it leaves the
// sum of k+1 unit exponentials, which makes the times those of a Poisson process with that rate,
// constant or not (time rescaling: Çinlar, Introduction to Stochastic Processes, 1975, ch. 4;
// compared with thinning in Lewis and Shedler, Naval Research Logistics 26, 1979).
type Due struct {
	curve    Curve
	arrivals Arrivals
	seed     uint64
	random   *rand.Rand // nil when uniform
	sent     float64    // requests so far
	reached  float64    // integral at which the next one is due
	piece    int        // that the last one was due in
	last     time.Duration

	// Of the request that was given last: at which integral it was due, and when the one before it was. ahead is
	// the integral of the one after it, when that has been given back.
	given   float64
	earlier time.Duration
	ahead   float64
	isAhead bool
}

// NewDue returns the sequence for a curve of requests per second. The same seed gives the same one.
func NewDue(c Curve, a Arrivals, seed uint64) *Due {
	d := &Due{curve: c, arrivals: a, seed: seed}
	if a == Poisson {
		d.random = rand.New(newStream(seed, streamArrivals, 0, 0))
		d.reached = d.random.ExpFloat64()
	}
	return d
}

// Next is when the next request is due, never before the one before it and always before the
// curve's end; false when none is left.
func (d *Due) Next() (time.Duration, bool) {
	t, piece, ok := d.curve.leave(d.reached, d.piece)
	// Rounded, the last one may fall on the end, where nothing is sent any more.
	if !ok || t >= d.curve.End() {
		return 0, false
	}
	// The root of a rising rate, rounded, need not grow with gaps far below a nanosecond.
	t = max(t, d.last)
	d.given, d.earlier = d.reached, d.last
	d.piece, d.last = piece, t
	d.sent++
	switch {
	case d.random == nil:
		d.reached = d.sent
	case d.isAhead:
		d.reached, d.isAhead = d.ahead, false
	default:
		d.reached += d.random.ExpFloat64()
	}
	return t, true
}

// Edit goes on by another curve, which is the same before t: request k stays request k, due at the same integral. It
// reports whether the last one that Next gave was due at t or later: then Next gives it again, by the new curve. Those
// before it must have been due before t.
func (d *Due) Edit(c Curve, t time.Duration) (again bool) {
	d.curve, d.piece = c, 0
	if d.sent == 0 || d.last < t {
		return false
	}
	if d.random != nil {
		d.ahead, d.isAhead = d.reached, true
	}
	d.sent--
	d.reached, d.last = d.given, d.earlier
	return true
}

// Count is how many requests are due before t, from the start, whatever Next has given. Uniform
// takes the same time for any t; Poisson draws the sequence again.
func (d *Due) Count(t time.Duration) int {
	if d.random != nil {
		n := 0
		for again := NewDue(d.curve, d.arrivals, d.seed); ; n++ {
			if due, ok := again.Next(); !ok || due >= t {
				return n
			}
		}
	}
	t = min(t, d.curve.End())
	if t <= 0 || d.curve.total <= 0 {
		return 0
	}
	// Times are rounded to the nanosecond, so the integral alone may be off by what is due in one.
	n := int(math.Ceil(d.curve.Integral(t)))
	for n > 0 && !d.before(n-1, t) {
		n--
	}
	for d.before(n, t) {
		n++
	}
	return n
}

// before reports whether uniform request k is due before t, which is not after the end.
func (d *Due) before(k int, t time.Duration) bool {
	due, _, ok := d.curve.leave(float64(k), 0)
	return ok && due < t
}
