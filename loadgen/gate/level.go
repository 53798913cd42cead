package gate

import (
	"cmp"
	"fmt"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// levels is an Expr of a level with what it reads of a point.
type levels struct {
	Expr
	left, right func(timeline.Point) int
}

func (x Expr) levels(s subject) levels {
	l := levels{x, s.level, func(timeline.Point) int { return int(x.Limit) }}
	if other, _, ok := subjectOf(x.Against); ok {
		l.right = other.level
	}
	return l
}

func (l levels) order(p timeline.Point) int { return cmp.Compare(l.left(p), l.right(p)) }

// says what the levels were.
func (l levels) says(p timeline.Point) string {
	if l.Against == "" {
		return fmt.Sprintf("was %d", l.left(p))
	}
	return fmt.Sprintf("%s was %d and %s %d", word(l.Subject), l.left(p), word(l.Against), l.right(p))
}

// judgeLevel compares a level at every instant that is meant.
func (e *Evidence) judgeLevel(x Expr, s subject) result.Outcome {
	if x.Against == Demand {
		return e.judgeSupply(x)
	}
	from, to := e.Timeline.LoadFrom, e.Timeline.End
	if x.At == AtSteady {
		var ok bool
		if from, to, ok = e.Timeline.Steady(); !ok {
			return x.noData(e.unsettled())
		}
	}
	l := x.levels(s)
	var last timeline.Point   // that was looked at
	var first *timeline.Point // at which it did not hold
	var since, broken time.Duration
	look := func(start, end time.Duration, p timeline.Point) {
		last = p
		if x.Op.holds(l.order(p)) {
			return
		}
		if first == nil {
			first, since = &p, start
		}
		broken += end - start
	}
	if x.At != AtEnd {
		e.Timeline.Between(from, to, look)
	}
	if final := e.Timeline.At(e.Timeline.End); x.At == AtEnd || x.At == Always && final.At == e.Timeline.End {
		look(e.Timeline.End, e.Timeline.End, final) // the observation includes its end
	}
	if first == nil {
		return x.outcome(float64(l.left(last)), true, e.held(x, l.says(last), to-from), "")
	}
	detail := l.says(*first) + ", " + e.both(since-e.Timeline.LoadFrom) + " after the load's start"
	if x.At == AtEnd {
		detail = l.says(*first) + " at the end"
	} else if broken > 0 {
		detail += ", and not as expected for " + e.both(broken) + " in all"
	}
	why := ""
	if x.Against == "" {
		why = e.whyCount(s, l.order(*first), x.Limit)
	}
	return x.outcome(float64(l.left(*first)), false, detail, why)
}

// judgeSupply compares healthy tasks with what the load needed while capacity was steady.
func (e *Evidence) judgeSupply(x Expr) result.Outcome {
	p := e.Figures.Provisioning
	switch {
	case p == nil:
		return x.noData(demandUnknown)
	case p.Steady == nil:
		return x.noData(e.unsettled())
	}
	from, to, _ := e.Timeline.Steady()
	s := p.Steady
	detail := fmt.Sprintf("at least %d healthy of the %d that the load needed", s.MinHealthy, s.MaxDemand)
	if s.Under.Run == 0 {
		return x.outcome(float64(s.MinHealthy), true, detail+", in the last "+e.both(to-from)+" of the load", "")
	}
	detail += fmt.Sprintf(": too few for %s of the last %s of the load", e.both(s.Under.Run), e.both(to-from))
	_, high := e.Timeline.BoundsAt(from)
	why := e.whyNotOut()
	if s.MaxDemand > high {
		why = fmt.Sprintf("; the maximum is %d, and %d are needed (%s each)", high, s.MaxDemand, units.Rate(p.PerTask*p.Utilisation))
	}
	return x.outcome(float64(s.MinHealthy), false, detail, why)
}

// held says for how long it was so, and what was at the last.
func (e *Evidence) held(x Expr, last string, length time.Duration) string {
	switch x.At {
	case AtSteady:
		return last + ", as expected at every instant of the last " + e.both(length) + " of the load"
	case AtEnd:
		return last
	}
	return last + " at the end, and as expected at every instant"
}

// unsettled is why there was no steady state.
func (e *Evidence) unsettled() string {
	var p timeline.Point
	e.Timeline.Between(e.Timeline.LoadFrom, e.Timeline.LoadTo, func(_, _ time.Duration, last timeline.Point) { p = last })
	return fmt.Sprintf("capacity did not settle under load (at its end %d desired, %d running, %d healthy, %d draining)",
		p.Desired, p.Running, p.Healthy, p.Draining)
}
