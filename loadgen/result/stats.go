package result

import (
	"cmp"
	"slices"
	"strconv"
	"time"
)

// Summary sums up a histogram in milliseconds; all 0 when it is empty or nil.
func Summary(h *Histogram) Latency {
	if h.Count() == 0 {
		return Latency{}
	}
	return Latency{
		Min: milliseconds(h.Min()), Mean: milliseconds(h.Mean()), StdDev: milliseconds(h.StdDev()),
		P50: milliseconds(h.Quantile(0.5)), P90: milliseconds(h.Quantile(0.9)), P95: milliseconds(h.Quantile(0.95)),
		P99: milliseconds(h.Quantile(0.99)), P999: milliseconds(h.Quantile(0.999)), P9999: milliseconds(h.Quantile(0.9999)),
		Max: milliseconds(h.Max()), Count: h.Count(),
	}
}

// SummaryOfLag sums up a histogram of waiting in milliseconds; all 0 when it is empty or nil.
func SummaryOfLag(h *Histogram) LagSummary {
	if h.Count() == 0 {
		return LagSummary{}
	}
	return LagSummary{P50: milliseconds(h.Quantile(0.5)), P99: milliseconds(h.Quantile(0.99)), Max: milliseconds(h.Max()), Count: h.Count()}
}

// missed are sends that no answer ended. Nil counts are unknown.
type missed struct{ unanswered, cut *int64 }

// missed are those that were sent.
func (e *EndpointWindow) missed(known bool) missed {
	if !known {
		return missed{}
	}
	return missed{new(e.Unanswered.Count()), new(e.Cut.Count())}
}

// stats are the figures of what was counted, with what only the caller can tell.
func (e *EndpointWindow) stats(start time.Time, perSecond float64, m missed) Stats {
	unanswered := Known(m.unanswered)
	s := Stats{
		Requests: e.Requests, Failures: e.Failures, ErrorRate: roundTo(ratio(e.Failures+unanswered, e.Requests+unanswered), 1e6),
		Unanswered: m.unanswered, Cut: m.cut,
		RequestsPerSecond: roundTo(perSecond, 1e6),
		BytesIn:           e.BytesIn, BytesOut: e.BytesOut, Truncated: e.Truncated, Redirects: e.Redirects,
		Abandoned: e.Abandoned, Retried: e.Retried,
		Status: make(map[string]int64, len(e.Status)),
		Errors: make([]ErrorJSON, 0, len(e.Errors)),
		Latency: LatencySet{
			Raw: Summary(e.Raw), Corrected: Summary(e.Corrected), Failed: Summary(e.Failed),
			FirstByte: Summary(e.FirstByte), Connect: Summary(e.Connect),
		},
	}
	for code, n := range e.Status {
		s.Status[strconv.Itoa(code)] += n
	}
	for _, x := range e.Errors {
		s.Errors = append(s.Errors, ErrorJSON{x.Kind, x.Message, x.Count, start.Add(x.First), start.Add(x.Last)})
	}
	slices.SortFunc(s.Errors, func(a, b ErrorJSON) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Message, b.Message))
	})
	return s
}

// ratio is part ÷ whole, 0 when there is no whole.
func ratio(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return float64(part) / float64(whole)
}

// perSecond is a rate, 0 when no time has passed.
func perSecond(n int64, seconds float64) float64 {
	if seconds <= 0 {
		return 0
	}
	return float64(n) / seconds
}

func exampleJSON(start time.Time, examples []Example) []ExampleJSON {
	out := make([]ExampleJSON, 0, len(examples))
	for _, x := range examples {
		out = append(out, ExampleJSON{
			At: start.Add(x.At), Endpoint: x.Endpoint, Status: x.Status, LatencyMS: milliseconds(x.Latency),
			ServedBy: x.ServedBy, Error: x.Error, Retried: x.Retried, TraceID: x.TraceID,
		})
	}
	return out
}

// exemplarsJSON is nil when there are none: no request had a trace.
func exemplarsJSON(start time.Time, e *Exemplars) *ExemplarsJSON {
	if len(e.Slowest)+len(e.Failed) == 0 {
		return nil
	}
	return &ExemplarsJSON{Slowest: exampleJSON(start, e.Slowest), Failed: exampleJSON(start, e.Failed)}
}

func eventJSON(start time.Time, e Event) EventJSON {
	return EventJSON{TS: e.At.Seconds(), At: start.Add(e.At), Type: e.Type, Detail: e.Detail}
}
