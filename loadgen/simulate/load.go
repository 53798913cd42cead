package simulate

import (
	"fmt"
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

// OfSteps is the load of steps whose times are made longer by a factor, as simulated time runs faster than a clock.
func OfSteps(steps timeline.Load, factor float64) (l Load) {
	at := func(t time.Duration) time.Duration { return time.Duration(float64(t) * factor) }
	for _, s := range steps {
		l = append(l, Point{at(s.From), s.Rate}, Point{at(s.To), s.Rate})
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

// Curve is the load as plans have theirs: the points of this notation are the ends of that one's stages.
func (l Load) Curve() plan.Curve {
	if len(l) == 0 {
		return plan.Curve{}
	}
	stages := make([]plan.Stage, 0, len(l)-1)
	for i := 1; i < len(l); i++ {
		stages = append(stages, plan.Stage{Duration: plan.Duration(l[i].At - l[i-1].At), To: l[i].Rate})
	}
	return plan.NewCurve(l[0].Rate, stages...)
}

// Demand is the load as the timeline's figures take it: exact for tasks of so many requests/s each, in steps that are short
// enough to be drawn.
func (l Load) Demand(perTask float64) (steps timeline.Load) {
	const shortest, most = 5 * time.Second, 2000
	for _, s := range l.Curve().Segments() {
		steps = append(steps, timeline.Steps(s, timeline.Capacity{PerTask: perTask}, max(shortest, l.End()/most))...)
	}
	return steps
}

// Over is the load as the timeline's figures take it: its mean in each interval.
func (l Load) Over(interval time.Duration) timeline.Load {
	var steps timeline.Load
	c := l.Curve()
	for from := time.Duration(0); interval > 0 && from < l.End(); from += interval {
		to, requests := min(from+interval, l.End()), 0.0
		for s := range c.Between(from, to) {
			requests += s.Area()
		}
		steps = append(steps, timeline.Step{From: from, To: to, Rate: requests / (to - from).Seconds()})
	}
	return steps
}

// firstAfter is the earliest instant from t on at which a curve has load, or just after which it has.
func firstAfter(c plan.Curve, t time.Duration) (time.Duration, bool) {
	for s := range c.Between(t, c.End()) {
		if s.Start > 0 || s.End > 0 {
			return s.From, true
		}
	}
	return 0, false
}
