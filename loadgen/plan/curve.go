package plan

import (
	"iter"
	"math"
	"sort"
	"time"
)

// Curve is a level over time: requests per second of an open plan, or users of a closed one. It is
// made of straight lines, never negative, and continuous from the right: at a jump its value is the
// one after it. Before 0 and from End on it is zero. The zero Curve is empty.
type Curve struct {
	pieces []piece
	before []float64 // integral of all pieces before each one
	total  float64   // integral of all pieces
}

// Segment is a stretch of a Curve on which the level changes in a straight line. From < To.
type Segment struct {
	From, To   time.Duration
	Start, End float64 // level at From, and on reaching To
}

// NewCurve is the curve that begins at level start and passes through the stages. Stages of zero
// length are jumps. Negative levels and durations are not allowed ([Plan.Validate] refuses them).
func NewCurve(start float64, stages ...Stage) Curve {
	var pieces []piece
	var at time.Duration
	level := start
	for _, s := range stages {
		if s.Duration > 0 {
			to := at + time.Duration(s.Duration)
			pieces = append(pieces, whole(Segment{From: at, To: to, Start: level, End: s.To}))
			at = to
		}
		level = s.To
	}
	return Curve{}.then(pieces...)
}

func (s Segment) seconds() float64 { return (s.To - s.From).Seconds() }

// Area is the integral of the level: of a rate, the requests due.
func (s Segment) Area() float64 { return s.seconds() * (s.Start + s.End) / 2 }

// Above is for how many seconds the level is above a limit, and the integral of what is above it.
func (s Segment) Above(limit float64) (seconds, excess float64) {
	a, b := s.Start-limit, s.End-limit
	switch {
	case a <= 0 && b <= 0:
		return 0, 0
	case a >= 0 && b >= 0:
		return s.seconds(), s.seconds() * (a + b) / 2
	}
	// A triangle: the share of the stretch in which the line is above the limit, by similar triangles.
	top := max(a, b)
	seconds = s.seconds() * top / math.Abs(a-b)
	return seconds, seconds * top / 2
}

// slope is the change of the level in a second.
func (s Segment) slope() float64 { return (s.End - s.Start) / s.seconds() }

// level is the value x seconds after From.
func (s Segment) level(x float64) float64 {
	if s.Start == s.End {
		return s.Start
	}
	return max(0, s.Start+(s.End-s.Start)*(x/s.seconds()))
}

// area is the integral from From to x seconds after it: a trapezium.
func (s Segment) area(x float64) float64 { return x * (s.Start + s.level(x)) / 2 }

// reach is how many seconds after From, at most the whole length, the area has become a. It solves
// x·start + x²·slope/2 = a in the form with the root in the denominator, which loses no digits when
// slope is small (Press et al., Numerical Recipes, 3rd ed., §5.6).
func (s Segment) reach(a float64) float64 {
	if a <= 0 {
		return 0
	}
	// Rounded, a line that falls to 0 may be below it at its end. What is too small for float64
	// makes the quotient infinite; it is reached at the end at the latest.
	root := math.Sqrt(max(0, s.Start*s.Start+2*s.slope()*a))
	return min(2*a/(s.Start+root), s.seconds())
}

// Segments returns the stretches of the curve in order. The slice belongs to the caller.
func (c Curve) Segments() []Segment {
	segments := make([]Segment, len(c.pieces))
	for i, p := range c.pieces {
		segments[i] = p.visible()
	}
	return segments
}

// End is where the curve ends: the planned length of the load.
func (c Curve) End() time.Duration {
	if len(c.pieces) == 0 {
		return 0
	}
	return c.pieces[len(c.pieces)-1].to
}

// at returns the index of the piece that holds t, which is within the curve.
func (c Curve) at(t time.Duration) int {
	return sort.Search(len(c.pieces), func(i int) bool { return c.pieces[i].to > t })
}

// At is the level at t.
func (c Curve) At(t time.Duration) float64 {
	if t < 0 || t >= c.End() {
		return 0
	}
	return c.pieces[c.at(t)].at(t)
}

// Between yields the stretches of the curve from one instant to another, cut there; where the curve is not, before 0 and from
// its End on, a stretch of level 0.
func (c Curve) Between(from, to time.Duration) iter.Seq[Segment] {
	return func(yield func(Segment) bool) {
		if from < 0 && from < to {
			if !yield(Segment{From: from, To: min(0, to)}) {
				return
			}
			from = 0
		}
		for i := c.at(from); from < to && i < len(c.pieces); i++ {
			p := c.pieces[i]
			p.from, p.to = max(p.from, from), min(p.to, to)
			if !yield(p.visible()) {
				return
			}
			from = p.to
		}
		if from < to {
			yield(Segment{From: from, To: to})
		}
	}
}

// Max is the highest level that the curve reaches or comes up to.
func (c Curve) Max() float64 {
	var highest float64
	for _, p := range c.pieces {
		s := p.visible()
		highest = max(highest, s.Start, s.End)
	}
	return highest
}

// Integral is the area under the curve before t, in closed form: of a rate, the requests due before
// t.
func (c Curve) Integral(t time.Duration) float64 {
	switch {
	case t <= 0:
		return 0
	case t >= c.End():
		return c.total
	}
	i := c.at(t)
	p := c.pieces[i]
	return c.before[i] + (p.upTo(t) - p.upTo(p.from))
}

// Inverse is the earliest time by which the integral has reached n, to the nearest nanosecond;
// false when it never does.
func (c Curve) Inverse(n float64) (time.Duration, bool) {
	if len(c.pieces) == 0 || !(n <= c.total) {
		return 0, false
	}
	if n <= 0 {
		return 0, true
	}
	i := sort.Search(len(c.before)-1, func(i int) bool { return c.before[i+1] >= n })
	return c.within(i, n), true
}

// leave is the time at which the integral leaves n upward, to the nearest nanosecond: where Inverse
// finds the begin of a time without load, this is its end. The search begins at piece from; the
// piece found is returned.
func (c Curve) leave(n float64, from int) (t time.Duration, piece int, ok bool) {
	if !(n < c.total) {
		return 0, from, false
	}
	rest := c.before[from+1:]
	i := from + sort.Search(len(rest), func(i int) bool { return rest[i] > n })
	return c.within(i, n), i, true
}

// within is the time in piece i at which the integral is n.
func (c Curve) within(i int, n float64) time.Duration {
	p := c.pieces[i]
	x := math.Round(p.reach(n-c.before[i]+p.upTo(p.from)) * 1e9)
	return max(p.from, min(p.From+time.Duration(x), p.to))
}

// Crossing is a user of a closed plan who joins or leaves. Users are numbered from 0.
type Crossing struct {
	At   time.Duration
	User int
	Join bool
}

// Crossings yields who joins and leaves, in order of time, for a curve of users. User k is there
// while the curve is above k: joins at the instant it leaves level k upward, leaves when it has
// come down to k and does not turn back, the last spawned first. A jump moves all its users at one
// instant. Nobody leaves at End: what follows is the drain.
func (c Curve) Crossings() iter.Seq[Crossing] {
	return func(yield func(Crossing) bool) {
		present := 0
		for _, p := range c.pieces {
			s := p.visible()
			// What a jump changes, or a line that has come to a level and does not turn back.
			for first := s.first(); present != first; {
				if !yield(move(&present, present < first, s.From)) {
					return
				}
			}
			rising := s.End > s.Start
			for {
				level := present
				if !rising {
					level--
				}
				at, crosses := p.crosses(level)
				if !crosses {
					break
				}
				if !yield(move(&present, rising, at)) {
					return
				}
			}
		}
	}
}

// move lets the next user join, or the last one leave.
func move(present *int, join bool, at time.Duration) Crossing {
	if join {
		*present++
		return Crossing{at, *present - 1, true}
	}
	*present--
	return Crossing{at, *present, false}
}

// first is the number of users just after From.
func (s Segment) first() int {
	if s.End > s.Start {
		return int(math.Floor(s.Start)) + 1
	}
	return int(math.Ceil(s.Start))
}

// crosses reports whether the line has a level, which it has not passed yet, before it reaches To.
func (s Segment) crosses(level int) bool {
	return s.Start < s.End && float64(level) < s.End || s.Start > s.End && float64(level) > s.End
}

// when is the time at which the line is at a level, to the nearest nanosecond.
func (s Segment) when(level int) time.Duration {
	x := (float64(level) - s.Start) * float64(s.To-s.From) / (s.End - s.Start)
	return min(s.From+time.Duration(math.Round(x)), s.To)
}
