package tui

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/validity"
)

const (
	span   = 10 * time.Second // what latencies, rates and health are of
	minute = 60               // seconds in the sparkline
)

// totals are counts since the start of the run.
type totals struct {
	requests, failures int64
	errors             map[way]int64
}

// way is how requests of an endpoint failed.
type way struct {
	endpoint int
	message  string
}

// with is t and a window. It leaves t as it is, because models before this one hold it.
func (t totals) with(w *result.Window) totals {
	t.errors = maps.Clone(t.errors)
	if t.errors == nil {
		t.errors = map[way]int64{}
	}
	for i := range w.Endpoints {
		e := &w.Endpoints[i]
		t.requests += e.Requests
		t.failures += e.Failures
		for _, each := range e.Errors {
			t.errors[way{e.Endpoint, each.Message}] += each.Count
		}
	}
	return t
}

// failure is a way in which requests failed.
type failure struct {
	way
	count int64
}

// worst are the n most frequent failures.
func (t totals) worst(n int) []failure {
	var all []failure
	for _, w := range slices.SortedFunc(maps.Keys(t.errors), func(a, b way) int {
		return cmp.Or(cmp.Compare(a.message, b.message), cmp.Compare(a.endpoint, b.endpoint))
	}) {
		all = append(all, failure{w, t.errors[w]})
	}
	slices.SortStableFunc(all, func(a, b failure) int { return int(b.count - a.count) })
	return all[:min(n, len(all))]
}

// second is how many requests were done in one second of the run, by its number, or in as much as there was of it.
type second struct {
	number int
	done   int64
	length float64
}

// rate is that of the part that there was.
func (s second) rate() float64 {
	if s.length <= 0 {
		return 0
	}
	return float64(s.done) / s.length
}

// withSecond adds a window to the seconds of the last minute. In the drain nothing is due, and its moment is no second. Windows are cut where a phase ends, so that
// a second may come in several.
func withSecond(seconds []second, w *result.Window) []second {
	if w.Name == plan.Drain {
		return seconds
	}
	done := result.TallyOf(w).Requests
	number := int(w.From / time.Second)
	seconds = slices.Clone(seconds)
	if last := len(seconds) - 1; last >= 0 && seconds[last].number == number {
		seconds[last].done += done
		seconds[last].length += w.Seconds()
	} else {
		seconds = append(seconds, second{number, done, w.Seconds()})
	}
	return seconds[max(0, len(seconds)-minute):]
}

// withRecent adds a window to those of the last 10 s.
func withRecent(recent []*result.Window, w *result.Window) []*result.Window {
	var kept []*result.Window
	for _, r := range recent {
		if r.From >= w.To-span {
			kept = append(kept, r)
		}
	}
	return append(kept, w)
}

// figures is what the last 10 s add up to.
type figures struct {
	result.Tally
	load result.Tally // without the drain, in which nothing is due, so that it has no rate
}

func sum(recent []*result.Window) *figures {
	f := &figures{}
	for _, w := range recent {
		f.Add(w)
		if w.Name != plan.Drain {
			f.load.Add(w)
		}
	}
	return f
}

// judge applies the rules of the verdict to the last 10 s: their worst level, and why.
func (f *figures) judge(closed, bench bool) (level result.Validity, why string) {
	_, reasons := validity.Judge(validity.Evidence{
		Seconds: f.Health, Lag: f.Lag, SlotWait: f.SlotWait, Closed: closed, Bench: bench, Corrected: f.Corrected,
		Load: f.load.Length, Standstill: f.Standstill,
		Offered: f.load.Offered, Sent: f.Sent,
	})
	for _, r := range reasons {
		// That nothing is sent is no news here: the counts show it.
		if r.Level != result.Valid && r.Code != validity.CodeNothingSent {
			return r.Level, r.Detail
		}
	}
	return result.Valid, ""
}
