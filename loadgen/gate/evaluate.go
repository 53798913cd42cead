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

// Evidence is what expressions are judged on. A part that is nil was not measured.
type Evidence struct {
	Requests Source             // of thresholds
	Timeline *timeline.Timeline // of expectations: what capacity did
	Figures  timeline.Figures   // those of Timeline
	Counts   *Counts            // of expectations about requests; nil where none were sent
}

// Evaluate judges every expression: one Outcome each, in order. An Outcome without data has no Value, and failed.
//
// The Value of a threshold is in the unit of its limit. That of an expectation is a count, seconds of simulated time or
// task-hours; of a level it is the one on the left, at the first instant at which it was not as expected, or else at the last
// that was looked at. A path has none, nor has what did not happen. The Detail says what was seen and, where an expectation
// was not met, what explains it: the not-scaled reasons, alarms that never went off, the bounds.
func Evaluate(exprs []Expr, on Evidence) []result.Outcome {
	outcomes := make([]result.Outcome, 0, len(exprs))
	for _, e := range exprs {
		outcomes = append(outcomes, e.judge(&on))
	}
	return outcomes
}

func (e Expr) judge(on *Evidence) result.Outcome {
	s := e.row()
	if s.of&ofRequests != 0 && on.Requests != nil {
		m, ok := on.Requests.Metrics(e.Endpoint, e.Phase)
		if !ok {
			return e.noData("nothing was measured there")
		}
		return e.judgeRequests(&m)
	}
	switch {
	case s.figure == nil && s.duration == nil && s.path == nil && s.level == nil:
		return e.noData("nothing was measured")
	case s.needs == needRequests: // which capacity has no part in
	case on.Timeline == nil:
		return e.noData("capacity was not watched")
	case len(on.Timeline.Points) == 0 || on.Timeline.End <= on.Timeline.LoadFrom:
		return e.noData("capacity was watched for no time")
	}
	if why := on.unseen(e); why != "" {
		return e.noData(why)
	}
	switch s.form {
	case aDuration:
		return on.judgeDuration(e, s)
	case aPath:
		return on.judgePath(e, s)
	case aLevel:
		return on.judgeLevel(e, s)
	}
	return on.judgeFigure(e, s)
}

// judgeRequests evaluates e on the figures of its own scope.
func (e Expr) judgeRequests(m *Metrics) result.Outcome {
	s := e.row()
	switch s.form {
	case aShare:
		return e.judgeWithin(m)
	case aStatistic:
		return e.judgeLatency(m, s)
	}
	value, missing := s.read(m)
	if missing != "" {
		return e.noData(missing)
	}
	seen := s.unit.seen(value, e.Limit)
	if e.Subject == ErrorRate {
		seen += fmt.Sprintf(" (%s of %s requests)", units.Count(m.Due.Failures+m.unanswered()), units.Count(m.Due.Requests+m.unanswered()))
	}
	if n := m.unanswered(); n > 0 && (e.Subject == ErrorRate || e.Subject == Failures) {
		seen += ", " + units.Count(n) + " unanswered"
	}
	return e.verdict("", value, seen, cmp.Compare(value, e.Limit), "")
}

// judgeWithin judges the share of all sends that were answered well within a time: of those that completed or had the
// whole stop timeout, and of those cut that were at least as old.
func (e Expr) judgeWithin(m *Metrics) result.Outcome {
	bound := limitOf(e.Bound)
	well := countUpTo(m.histogram(e.Latency), bound)
	all := m.Due.Requests + m.unanswered() + countFrom(m.agesCut(e.Latency), bound)
	if all == 0 {
		return e.noData(noneCompleted)
	}
	value := float64(well) / float64(all)
	seen := e.unit().seen(value, e.Limit) + fmt.Sprintf(" (%s of %s)", units.Count(well), units.Count(all))
	return e.verdict("", value, seen, cmp.Compare(value, e.Limit), "")
}

// limitOf is a limit in milliseconds as a duration.
func limitOf(ms float64) time.Duration { return time.Duration(math.Round(ms*1000)) * time.Microsecond }

// countUpTo is how many values a histogram does not tell from limit or knows to be below it.
func countUpTo(h *result.Histogram, limit time.Duration) (n int64) {
	for micros, count := range h.Buckets {
		if time.Duration(micros)*time.Microsecond <= resolved(limit) {
			n += count
		}
	}
	return n
}

// countFrom is how many values are at least limit, as far as a histogram can tell.
func countFrom(h *result.Histogram, limit time.Duration) int64 { return from(h, limit).Count() }

// from holds the values of h that are at least limit.
func from(h *result.Histogram, limit time.Duration) *result.Histogram {
	rest := &result.Histogram{}
	for micros, count := range h.Buckets {
		if d := time.Duration(micros) * time.Microsecond; resolved(d) >= resolved(limit) {
			rest.RecordN(d, count)
		}
	}
	return rest
}

// judgeLatency judges a figure of a latency. Percentiles and the maximum are of successes and of those sends without an
// answer that were at least as old as the limit, at their age: with a limit of 50 ms a request that hangs for 10 s is
// slow, and nobody knows of one that was cut after 5 ms.
func (e Expr) judgeLatency(m *Metrics, s subject) result.Outcome {
	h, isAge := m.histogram(e.Latency), func(time.Duration) bool { return false }
	limit := limitOf(e.Limit)
	if old := from(m.ages(e.Latency), limit); old.Count() > 0 && (e.Subject == Percentile || e.Subject == Max) {
		both := h.Clone()
		both.Merge(old)
		h = both
		isAge = func(d time.Duration) bool { return countUpTo(old, d) > countBelow(old, d) }
	}
	if h.Count() == 0 {
		switch e.Latency {
		case Failed:
			return e.noData("no request failed")
		case Connect:
			return e.noData("no connection was opened")
		}
		return e.noData("no request succeeded")
	}
	d := s.statistic(h, e.Percentile)
	value := float64(d.Round(time.Microsecond).Microseconds()) / 1000 // to 1 µs, as in a result
	order := cmp.Compare(resolved(d), resolved(limit))
	within := ""
	if order == 0 && value != e.Limit {
		within = " within the histogram's resolution"
	}
	seen := milliseconds.seen(value, e.Limit)
	if isAge(d) {
		seen = "≥ " + seen
	}
	return e.verdict(e.succeeded(m), value, seen, order, within)
}

// countBelow is how many values are below what a histogram does not tell from limit.
func countBelow(h *result.Histogram, limit time.Duration) int64 {
	return h.Count() - countFrom(h, limit)
}

// succeeded says of which share of the requests a latency speaks, when it is not of all.
func (e Expr) succeeded(m *Metrics) string {
	missing := m.Due.Failures + m.unanswered() + result.Known(m.Cut)
	if missing == 0 || e.Latency != Corrected && e.Latency != Raw && e.Latency != FirstByte {
		return ""
	}
	all := m.Due.Requests + m.unanswered() + result.Known(m.Cut)
	share := float64(all-missing) / float64(all)
	text := units.Percent(share)
	if text == units.Percent(1) { // of 50,000 requests 3 failed
		return ", of all but " + units.Count(missing) + " of " + units.Count(all) + " requests"
	}
	return ", of the " + text + " that succeeded"
}

// resolved is the one value by which a histogram knows d and all that it does not tell from d.
// It is the histogram's own answer, so that it cannot disagree with what was recorded.
func resolved(d time.Duration) time.Duration {
	if d < time.Microsecond/2 {
		return 0 // a histogram would count it as 1 µs; only the limit 0 and a deviation of nothing are this small
	}
	var h result.Histogram
	h.Record(d)
	return h.Max()
}

// verdict is the outcome for a value of requests. of says what the metric speaks of, when that is not all; order is that of value
// and limit; within says that they are equal only as far as can be told.
func (e Expr) verdict(of string, value float64, seen string, order int, within string) result.Outcome {
	passed := e.Op.holds(order)
	limit := e.unit().precise(e.Limit)
	if e.unit() == byteCount {
		limit = byteCount.seen(e.Limit, value)
	}
	relation := ""
	switch {
	case order == 0 && passed && within == "": // the value says it all
	case order == 0 && passed:
		relation = ", " + limit + within
	case order == 0 && e.Op == Less:
		relation = ", not below " + limit + within
	case order == 0 && e.Op == Greater:
		relation = ", not above " + limit + within
	case order == 0 && within == "":
		relation = ", which it must not be"
	case order == 0:
		relation = ", " + limit + within + ", which it must not be"
	}
	return e.outcome(value, passed, "was "+seen+of+relation, "")
}

// outcome is the one of e. Its Detail is read behind the expression, and says what that does not: p(99)<50ms: was
// 61.2 ms. why is told where it failed.
func (e Expr) outcome(value float64, passed bool, detail, why string) result.Outcome {
	if !passed {
		detail += why
	}
	return result.Outcome{Expression: e.String(), Value: result.Reading(value), Passed: passed, Detail: detail}
}

// noData is the verdict where there is nothing to judge.
func (e Expr) noData(why string) result.Outcome {
	return result.Outcome{
		Expression: e.String(),
		Value:      result.Unknown(),
		Detail:     "no data: " + why + "; without data it fails",
	}
}

// seen is a value as people read it, with more digits where rounding makes it look like the limit.
func (u unit) seen(value, limit float64) string {
	if value != limit && u.rounded(value) == u.rounded(limit) {
		return u.precise(value)
	}
	return u.rounded(value)
}
