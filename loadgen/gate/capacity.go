package gate

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// Counts are a run's requests from its start to the end of its drain.
type Counts struct {
	Requests int64 // completed, failures included
	Errors   int64 // failed
	Retried  int64 // sent again by the transport
}

func (e *Evidence) judgeFigure(x Expr, s subject) result.Outcome {
	value, missing := s.figure(e)
	if missing != "" {
		return x.noData(missing)
	}
	order := cmp.Compare(value, x.Limit)
	detail := "was " + units.Decimal(value) + besides(order, x.Op)
	return x.outcome(value, x.Op.holds(order), detail, e.whyCount(s, order, x.Limit))
}

func (e *Evidence) judgeDuration(x Expr, s subject) result.Outcome {
	span, missing := s.duration(e)
	if span == nil {
		return x.outcome(math.NaN(), false, missing, "")
	}
	order := cmp.Compare(span.Service, x.Within)
	detail := "was " + seenSpan(span.Service, x.Within) + besides(order, x.Op)
	why := ""
	if order >= 0 {
		why = e.whyLate(x.Subject)
	}
	return x.outcome(span.Service.Seconds(), x.Op.holds(order), detail, why)
}

// seenSpan is a length of time in whole seconds, or finer where it is short, or would look like the limit.
func seenSpan(d, limit time.Duration) string {
	for _, unit := range []time.Duration{time.Second, 100 * time.Millisecond, time.Millisecond} {
		if unit == time.Second && d < time.Minute {
			continue
		}
		if r := d.Round(unit); r != 0 && (r != limit || d == limit) {
			return units.Duration(r)
		}
	}
	return units.Duration(d)
}

// besides says why a value that is the limit is not as expected.
func besides(order int, op Op) string {
	switch {
	case order != 0:
		return ""
	case op == Less:
		return ", not below"
	case op == Greater:
		return ", not above"
	case op == NotEqual:
		return ", which it must not be"
	}
	return ""
}

func (e *Evidence) judgePath(x Expr, s subject) result.Outcome {
	seen := s.path(&e.Figures)
	text := pathText(seen)
	detail, why := "was "+text, ""
	switch same := text == x.Path; {
	case len(seen) == 1 && x.Subject == ScaleOutPath:
		detail, why = detail+": capacity was never higher than at the load's start", e.whyNotOut()
	case len(seen) == 1:
		detail, why = detail+": capacity never came down", e.whyNotIn()
	case !same:
		if x.Subject == ScaleOutPath || !beginsAlike(text, x.Path) {
			why = e.whyNotOut()
		} else {
			why = e.whyNotIn()
		}
	case x.Op == NotEqual:
		detail += ", which it must not be"
	}
	passed := len(seen) > 1 && (text == x.Path) == (x.Op == Equal)
	return x.outcome(math.NaN(), passed, detail, why)
}

// beginsAlike says whether two paths have the same first count.
func beginsAlike(a, b string) bool {
	x, _, _ := cutNumber(a)
	y, _, _ := cutNumber(b)
	return x == y
}

// both is a length of time by simulated time, and by the run's clock where that is another one.
func (e *Evidence) both(run time.Duration) string {
	service := time.Duration(math.Round(float64(run) * e.Timeline.Speedup))
	text := seenSpan(service, 0)
	if e.Timeline.Speedup != 1 {
		text += " (" + seenSpan(run, 0) + " of the run)"
	}
	return text
}

const demandUnknown = "what one task can do is not known, so neither is the load's demand"

// counted reads a count that every timeline has.
func counted(count func(*timeline.Figures) int) func(*Evidence) (float64, string) {
	return func(e *Evidence) (float64, string) { return float64(count(&e.Figures)), "" }
}

// ofCounts reads a count of something that requests do: none of it among no requests is no evidence.
func ofCounts(count func(*Counts) int64) func(*Evidence) (float64, string) {
	return func(e *Evidence) (float64, string) {
		switch {
		case e.Counts == nil:
			return 0, "no requests were sent"
		case e.Counts.Requests == 0 && count(e.Counts) == 0:
			return 0, noneCompleted
		}
		return float64(count(e.Counts)), ""
	}
}

// provisioned reads a length of time in which supply was not demand.
func provisioned(span func(*timeline.Accuracy) *timeline.Span) func(*Evidence) (*timeline.Span, string) {
	return func(e *Evidence) (*timeline.Span, string) {
		switch {
		case e.Figures.Provisioning == nil:
			return nil, demandUnknown
		case e.Figures.Provisioning.Whole == nil:
			return nil, "capacity was watched for no time"
		}
		return span(e.Figures.Provisioning.Whole), ""
	}
}

func scaleOut(e *Evidence) (*timeline.Span, string) {
	switch {
	case e.Figures.ScaleOut != nil:
		return e.Figures.ScaleOut, ""
	case e.Figures.MaxDesired <= e.Figures.DesiredBefore:
		return nil, fmt.Sprintf("there was no scale-out: desired was never above the %d of the load's start", e.Figures.DesiredBefore) + e.whyNotOut()
	}
	return nil, fmt.Sprintf("the last new task did not become healthy: %d were desired, at most %d healthy", e.Figures.MaxDesired, e.Figures.MaxHealthy) + e.whyLost()
}

func backToMin(e *Evidence) (*timeline.Span, string) {
	low, _ := e.Timeline.BoundsAt(e.Timeline.End)
	last := e.Timeline.At(e.Timeline.End)
	switch {
	case e.Figures.Recovery != nil:
		return e.Figures.Recovery, ""
	case e.Timeline.LoadTo == e.Timeline.End:
		return nil, "capacity was not watched after the load"
	case e.Figures.MaxDesired <= low && e.Figures.MaxTasks <= low:
		return nil, fmt.Sprintf("capacity never left the minimum of %d: there was nothing to come back from", low)
	}
	return nil, fmt.Sprintf("after %s it was not back at the minimum of %d: %d desired, %d running, %d draining",
		e.both(e.Timeline.End-e.Timeline.LoadTo), low, last.Desired, last.Running, last.Draining) + e.whyNotIn()
}

func oscillations(e *Evidence) (float64, string) {
	if e.Figures.Oscillations == nil {
		return 0, "the load is not known"
	}
	return float64(*e.Figures.Oscillations), ""
}

func overshoot(e *Evidence) (float64, string) {
	if e.Figures.Provisioning == nil {
		return 0, demandUnknown
	}
	return float64(e.Figures.Provisioning.Overshoot), ""
}
