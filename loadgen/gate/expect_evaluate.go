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

// evidence is what expectations are judged on.
type evidence struct {
	t *timeline.Timeline
	f *timeline.Figures
	c *Counts
}

// EvaluateExpectations judges every expectation: one Outcome each, in order. The Value is a count, seconds of service
// time or task-hours; of a level it is the one on the left, at the first instant at which it was not as expected, or
// else at the last that was looked at. A path has none. Without data, and for what did not happen, there is none
// either, and the expectation fails. The Detail says what was seen and, when the expectation was not met,
// what explains it: the not-scaled reasons, alarms that never went off, the bounds.
//
// f are the figures of t; a nil t is a run whose capacity was not watched, nil counts are of one that sent nothing.
func EvaluateExpectations(expectations []Expectation, t *timeline.Timeline, f timeline.Figures, counts *Counts) []result.Outcome {
	e := evidence{t, &f, counts}
	outcomes := make([]result.Outcome, 0, len(expectations))
	for _, x := range expectations {
		outcomes = append(outcomes, e.judge(x))
	}
	return outcomes
}

func (e *evidence) judge(x Expectation) result.Outcome {
	s, _, ok := subjectOf(x.Subject)
	switch {
	case !ok:
		return x.noData("there is no such thing")
	case s.needs == needRequests: // which capacity has no part in
	case e.t == nil:
		return x.noData("capacity was not watched")
	case len(e.t.Points) == 0 || e.t.End <= e.t.LoadFrom:
		return x.noData("capacity was watched for no time")
	}
	switch s.form {
	case aDuration:
		return e.judgeDuration(x, s)
	case aPath:
		return e.judgePath(x, s)
	case aLevel:
		return e.judgeLevel(x, s)
	}
	value, missing := s.figure(e)
	if missing != "" {
		return x.noData(missing)
	}
	order := cmp.Compare(value, x.Limit)
	detail := string(x.Subject) + " was " + units.Decimal(value) + distance(order, x.Op, units.Decimal(x.Limit))
	return x.outcome(value, x.Op.holds(order), detail, e.whyCount(s, order, x.Limit))
}

func (e *evidence) judgeDuration(x Expectation, s subject) result.Outcome {
	span, missing := s.duration(e)
	if span == nil {
		return x.outcome(math.NaN(), false, string(x.Subject)+": "+missing, "")
	}
	order := cmp.Compare(span.Service, x.Within)
	detail := string(x.Subject) + " was " + seenSpan(span.Service, x.Within)
	switch gap := span.Service - x.Within; {
	case order > 0:
		detail += ", " + seenSpan(gap, 0) + " above " + units.Duration(x.Within)
	case order < 0:
		detail += ", " + seenSpan(-gap, 0) + " below " + units.Duration(x.Within)
	default:
		detail += distance(order, x.Op, units.Duration(x.Within))
	}
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

// distance says on which side of the limit a value is, where the two alone would not.
func distance(order int, op Op, limit string) string {
	switch {
	case order > 0:
		return ", above " + limit
	case order < 0:
		return ", below " + limit
	case op == Less:
		return ", not below " + limit
	case op == Greater:
		return ", not above " + limit
	case op == NotEqual:
		return ", which it must not be"
	}
	return ""
}

func (e *evidence) judgePath(x Expectation, s subject) result.Outcome {
	seen := s.path(e.f)
	text := pathText(seen)
	detail, why := string(x.Subject)+" was "+text, ""
	switch same := text == x.Path; {
	case len(seen) == 1 && x.Subject == ScaleOutPath:
		detail, why = detail+": capacity was never higher than at the load's start", e.whyNotOut()
	case len(seen) == 1:
		detail, why = detail+": capacity never came down", e.whyNotIn()
	case !same:
		detail += ", not " + x.Path
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

// both is a length of time by service time, and by the run's clock where that is another one.
func (e *evidence) both(run time.Duration) string {
	service := time.Duration(math.Round(float64(run) * e.t.Speedup))
	text := seenSpan(service, 0)
	if e.t.Speedup != 1 {
		text += " (" + seenSpan(run, 0) + " of the run)"
	}
	return text
}

// outcome is a verdict. why is told where the expectation was not met.
func (x Expectation) outcome(value float64, passed bool, detail, why string) result.Outcome {
	if !passed {
		detail += why
	}
	return result.Outcome{Expression: x.String(), Value: result.Reading(value), Passed: passed, Detail: detail}
}

// noData is the verdict where there is nothing to judge.
func (x Expectation) noData(why string) result.Outcome {
	return result.Outcome{
		Expression: x.String(),
		Value:      result.Unknown(),
		Detail:     string(x.Subject) + " has no data: " + why + "; an expectation without data fails",
	}
}

const demandUnknown = "what one task can do is not known, so neither is the load's demand"

// counted reads a count that every timeline has.
func counted(count func(*timeline.Figures) int) func(*evidence) (float64, string) {
	return func(e *evidence) (float64, string) { return float64(count(e.f)), "" }
}

// ofCounts reads a count of something that requests do: none of it among no requests is no evidence.
func ofCounts(count func(*Counts) int64) func(*evidence) (float64, string) {
	return func(e *evidence) (float64, string) {
		switch {
		case e.c == nil:
			return 0, "no requests were sent"
		case e.c.Requests == 0 && count(e.c) == 0:
			return 0, noneCompleted
		}
		return float64(count(e.c)), ""
	}
}

// provisioned reads a length of time in which supply was not demand.
func provisioned(span func(*timeline.Accuracy) *timeline.Span) func(*evidence) (*timeline.Span, string) {
	return func(e *evidence) (*timeline.Span, string) {
		switch {
		case e.f.Provisioning == nil:
			return nil, demandUnknown
		case e.f.Provisioning.Whole == nil:
			return nil, "capacity was watched for no time"
		}
		return span(e.f.Provisioning.Whole), ""
	}
}

func scaleOut(e *evidence) (*timeline.Span, string) {
	switch {
	case e.f.ScaleOut != nil:
		return e.f.ScaleOut, ""
	case e.f.MaxDesired <= e.f.DesiredBefore:
		return nil, fmt.Sprintf("there was no scale-out: desired was never above the %d of the load's start", e.f.DesiredBefore) + e.whyNotOut()
	}
	return nil, fmt.Sprintf("the last new task did not become healthy: %d were desired, at most %d healthy", e.f.MaxDesired, e.f.MaxHealthy) + e.whyLost()
}

func backToMin(e *evidence) (*timeline.Span, string) {
	low, _ := e.t.BoundsAt(e.t.End)
	last := e.t.At(e.t.End)
	switch {
	case e.f.Recovery != nil:
		return e.f.Recovery, ""
	case e.t.LoadTo == e.t.End:
		return nil, "capacity was not watched after the load"
	case e.f.MaxDesired <= low && e.f.MaxTasks <= low:
		return nil, fmt.Sprintf("capacity never left the minimum of %d: there was nothing to come back from", low)
	}
	return nil, fmt.Sprintf("after %s it was not back at the minimum of %d: %d desired, %d running, %d draining",
		e.both(e.t.End-e.t.LoadTo), low, last.Desired, last.Running, last.Draining) + e.whyNotIn()
}
