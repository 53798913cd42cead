package simulate

import (
	"fmt"
	"math"
	"sort"
	"strings"
	"time"

	"scalableappbackend/internal/input"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/timeline"
)

// Point is the load at an instant.
type Point struct {
	At   time.Duration
	Rate float64 // requests a second
}

// Load is a curve of points joined by straight lines, the first at 0. Two points at one instant are a jump.
// After the last there is no load.
type Load []Point

// The limits of a load: its longest time, its highest rate, its most points.
const (
	MaxLoadTime = 31 * 24 * time.Hour
	MaxRate     = 1e9
	MaxPoints   = 1_000_000
)

// Steps is the load that has each rate for one interval, as a result's windows have.
func Steps(interval time.Duration, rates ...float64) Load {
	l := make(Load, 0, 2*len(rates))
	for i, r := range rates {
		l = append(l, Point{time.Duration(i) * interval, r}, Point{time.Duration(i+1) * interval, r})
	}
	return l
}

// Validate returns the first reason why l is no load, as a *input.Error.
func (l Load) Validate() error {
	switch {
	case len(l) < 2:
		return &input.Error{Want: "want at least two points, e.g. 0s:375,15m:375"}
	case len(l) > MaxPoints:
		return &input.Error{Want: fmt.Sprintf("%d points, want at most %d", len(l), MaxPoints)}
	case l[0].At != 0:
		return &input.Error{Want: fmt.Sprintf("begins at %s, want the first point at 0s", plan.Duration(l[0].At))}
	case l.End() == 0:
		return &input.Error{Want: "ends where it begins, want a last point after 0s"}
	}
	for i, p := range l {
		switch {
		case !(p.Rate >= 0 && p.Rate <= MaxRate):
			return wrongPoint(i, "%v requests a second, want 0 to %v", p.Rate, MaxRate)
		case i > 0 && p.At < l[i-1].At:
			return wrongPoint(i, "%s after %s, want times that do not go back", plan.Duration(p.At), plan.Duration(l[i-1].At))
		case p.At > MaxLoadTime:
			return wrongPoint(i, "%s, want at most %s", plan.Duration(p.At), plan.Duration(MaxLoadTime))
		}
	}
	return nil
}

func wrongPoint(i int, format string, args ...any) error {
	return &input.Error{Field: fmt.Sprintf("[%d]", i), Want: fmt.Sprintf(format, args...)}
}

// End is where the load ends.
func (l Load) End() time.Duration {
	if len(l) == 0 {
		return 0
	}
	return l[len(l)-1].At
}

// String is the form that ParseLoad reads.
func (l Load) String() string {
	var b strings.Builder
	for i, p := range l {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s:%s", plan.Duration(p.At), plainNumber(p.Rate))
	}
	return b.String()
}

// Demand is the load as the timeline's figures take it: exact for tasks of so many requests/s each, in steps that are short
// enough to be drawn.
func (l Load) Demand(perTask float64) (steps timeline.Load) {
	const shortest, most = 5 * time.Second, 2000
	for i := 1; i < len(l); i++ {
		a, b := l[i-1], l[i]
		line := timeline.Line{From: a.At, To: b.At, Start: a.Rate, End: b.Rate}
		steps = append(steps, line.Steps(timeline.Capacity{PerTask: perTask}, max(shortest, l.End()/most))...)
	}
	return steps
}

// Over is the load as the timeline's figures take it: its mean in each interval.
func (l Load) Over(interval time.Duration) timeline.Load {
	var steps timeline.Load
	c := cursor{load: l}
	for from := time.Duration(0); interval > 0 && from < l.End(); from += interval {
		to, requests := min(from+interval, l.End()), 0.0
		c.walk(to, func(p piece) { requests += p.requests() })
		steps = append(steps, timeline.Step{From: from, To: to, Rate: requests / (to - from).Seconds()})
	}
	return steps
}

// piece is a stretch of straight load without a jump in it.
type piece struct {
	from, to   time.Duration
	start, end float64 // the rate at from, and on reaching to
}

func (p piece) seconds() float64 { return (p.to - p.from).Seconds() }

// requests is the integral of the rate.
func (p piece) requests() float64 { return p.seconds() * (p.start + p.end) / 2 }

// above is for how many seconds the rate is above limit, and the integral of what is above it.
func (p piece) above(limit float64) (seconds, excess float64) {
	a, b := p.start-limit, p.end-limit
	switch {
	case a <= 0 && b <= 0:
		return 0, 0
	case a >= 0 && b >= 0:
		return p.seconds(), p.seconds() * (a + b) / 2
	}
	// A triangle: the share of the piece in which the line is above the limit, by similar triangles.
	top := max(a, b)
	seconds = p.seconds() * top / math.Abs(a-b)
	return seconds, seconds * top / 2
}

// cursor walks a load once.
type cursor struct {
	load Load
	next int // the first point after the walker
	now  time.Duration
}

// walk calls f with the pieces from where the cursor stands until to.
func (c *cursor) walk(to time.Duration, f func(piece)) {
	for c.now < to {
		for c.next < len(c.load) && c.load[c.next].At <= c.now {
			c.next++
		}
		p := piece{from: c.now, to: to}
		if c.next < len(c.load) {
			p.to = min(to, c.load[c.next].At)
			p.start, p.end = c.load.line(c.next, p.from), c.load.line(c.next, p.to)
		}
		f(p)
		c.now = p.to
	}
}

// line is the value at t of the straight line that ends in point i.
func (l Load) line(i int, t time.Duration) float64 {
	a, b := l[i-1], l[i]
	return a.Rate + (b.Rate-a.Rate)*((t-a.At).Seconds()/(b.At-a.At).Seconds())
}

// firstAfter is the earliest instant from t on at which there is load, or just after which there is.
func (l Load) firstAfter(t time.Duration) (time.Duration, bool) {
	i := sort.Search(len(l), func(i int) bool { return l[i].At > t })
	if i > 0 && i < len(l) && (l[i].Rate > 0 || l.line(i, t) > 0) {
		return t, true
	}
	for ; i+1 < len(l); i++ {
		if l[i+1].At > l[i].At && (l[i].Rate > 0 || l[i+1].Rate > 0) {
			return l[i].At, true
		}
	}
	return 0, false
}
