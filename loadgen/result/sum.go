package result

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Bounds on what a result keeps of names and requests.
const (
	// MaxExamples is how many requests are shown among the slowest, and among the failed.
	MaxExamples = 20
	// examplesPerFailure keeps one frequent failure from crowding out a rare one.
	examplesPerFailure = 3
	// MaxNames is how many values of X-Served-By, and how many remote addresses, a result tells
	// apart; the rest counts under OtherName.
	MaxNames = 200
	// OtherName stands for the names beyond MaxNames.
	OtherName = "(other)"
)

// add adds another part of the same endpoint's counts; from stays as it is.
func (e *EndpointWindow) add(from *EndpointWindow) {
	e.Requests += from.Requests
	e.Failures += from.Failures
	e.Abandoned += from.Abandoned
	e.Retried += from.Retried
	e.BytesIn += from.BytesIn
	e.BytesOut += from.BytesOut
	e.Truncated += from.Truncated
	e.Redirects += from.Redirects
	for code, n := range from.Status {
		if e.Status == nil {
			e.Status = map[int]int64{}
		}
		e.Status[code] += n
	}
	for _, x := range from.Errors {
		e.addError(x)
	}
	merge(&e.Raw, from.Raw)
	merge(&e.Corrected, from.Corrected)
	merge(&e.Failed, from.Failed)
	merge(&e.FirstByte, from.FirstByte)
	merge(&e.Connect, from.Connect)
}

func (e *EndpointWindow) addError(x ErrorCount) {
	for i := range e.Errors {
		have := &e.Errors[i]
		if have.Kind == x.Kind && have.Message == x.Message {
			have.Count += x.Count
			have.First, have.Last = min(have.First, x.First), max(have.Last, x.Last)
			return
		}
	}
	e.Errors = append(e.Errors, x)
}

// merge adds from to a histogram that its holder owns, and that is nil while it is empty.
func merge(to **Histogram, from *Histogram) {
	switch {
	case from.Count() == 0:
	case *to == nil:
		*to = from.Clone()
	default:
		(*to).Merge(from)
	}
}

// add adds what can be added whatever the two windows' times are. Users, requests in flight,
// health, examples and events depend on whether from comes after w or beside it: see follow and join.
func (w *Window) add(from *Window) {
	w.Offered += from.Offered
	w.Sent += from.Sent
	w.Clamped += from.Clamped
	w.Standstill = w.Standstill.With(from.Standstill)
	merge(&w.Lag, from.Lag)
	merge(&w.SlotWait, from.SlotWait)
	w.Connections.add(from.Connections)
	addCounts(&w.ServedBy, from.ServedBy)
	for i := range from.Endpoints {
		e := &from.Endpoints[i]
		w.endpoint(e.Endpoint).add(e)
	}
}

// addDetails adds the histograms that long runs do not keep for each interval.
func (w *Window) addDetails(from *Window) {
	merge(&w.Lag, from.Lag)
	merge(&w.SlotWait, from.SlotWait)
	for i := range from.Endpoints {
		e := &from.Endpoints[i]
		if e.FirstByte.Count()+e.Connect.Count() == 0 {
			continue
		}
		to := w.endpoint(e.Endpoint)
		merge(&to.FirstByte, e.FirstByte)
		merge(&to.Connect, e.Connect)
	}
}

func findEndpoint(sorted []EndpointWindow, index int) (int, bool) {
	return slices.BinarySearchFunc(sorted, index, func(e EndpointWindow, index int) int { return cmp.Compare(e.Endpoint, index) })
}

// endpoint returns the part of an endpoint, which it makes when there is none.
func (w *Window) endpoint(index int) *EndpointWindow {
	i, found := findEndpoint(w.Endpoints, index)
	if !found {
		w.Endpoints = slices.Insert(w.Endpoints, i, EndpointWindow{Endpoint: index})
	}
	return &w.Endpoints[i]
}

// follow adds the window that comes after w in the same run and phase.
func (w *Window) follow(next *Window) {
	w.add(next)
	w.To = next.To
	w.Users, w.InFlight = next.Users, next.InFlight
	w.Health = append(w.Health, next.Health...)
	w.Slowest = slowest(append(w.Slowest, next.Slowest...))
	w.FailedExamples = firstFailures(append(w.FailedExamples, next.FailedExamples...))
	w.Events = append(w.Events, next.Events...)
}

// join adds the same time of another generator's run.
func (w *Window) join(other *Window) {
	w.add(other)
	switch { // what is there at the end: of a run that ended before, nothing
	case other.To > w.To:
		w.Users, w.InFlight = other.Users, other.InFlight
	case other.To == w.To:
		w.Users += other.Users
		w.InFlight += other.InFlight
	}
	w.From, w.To = min(w.From, other.From), max(w.To, other.To)
	for i, h := range other.Health {
		if i == len(w.Health) {
			w.Health = append(w.Health, h)
		} else {
			w.Health[i] = w.Health[i].worse(h)
		}
	}
	w.Slowest = slowest(append(w.Slowest, other.Slowest...))
	w.FailedExamples = append(w.FailedExamples, other.FailedExamples...)
	slices.SortStableFunc(w.FailedExamples, func(a, b Example) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Error, b.Error), cmp.Compare(a.Latency, b.Latency))
	})
	w.FailedExamples = firstFailures(w.FailedExamples)
	w.Events = append(w.Events, other.Events...)
	slices.SortStableFunc(w.Events, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Detail, b.Detail))
	})
}

func (c *Connections) add(from Connections) {
	c.Opened += from.Opened
	c.Reused += from.Reused
	c.Retried += from.Retried
	addCounts(&c.ByAddress, from.ByAddress)
}

func addCounts(into *map[string]int64, from map[string]int64) {
	if *into == nil && len(from) > 0 {
		*into = make(map[string]int64, len(from))
	}
	for name, n := range from {
		(*into)[name] += n
	}
}

// addBounded is addCounts for a whole run: it tells MaxNames names apart. A header that holds the
// id of a request must not grow for as long as the run lasts.
func addBounded(into map[string]int64, from map[string]int64) {
	for _, name := range slices.Sorted(maps.Keys(from)) {
		n := from[name]
		if _, known := into[name]; !known && len(into) >= MaxNames {
			name = OtherName
		}
		into[name] += n
	}
}

// slowest keeps the slowest examples, slowest first. The order is total, so that the same requests
// are kept however they were grouped on the way.
func slowest(examples []Example) []Example {
	slices.SortStableFunc(examples, func(a, b Example) int {
		return cmp.Or(
			cmp.Compare(b.rounded(), a.rounded()), cmp.Compare(a.At, b.At),
			cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.ServedBy, b.ServedBy),
		)
	})
	return examples[:min(len(examples), MaxExamples)]
}

// rounded is the latency as files hold it.
func (x Example) rounded() time.Duration { return x.Latency.Round(time.Microsecond) }

// firstFailures keeps the first examples, few of each endpoint and message. Applied to parts and
// then to what they left, in order, it keeps the same as when applied to everything at once.
func firstFailures(examples []Example) []Example {
	type failure struct{ endpoint, message string }
	kept, total := map[failure]int{}, 0
	return slices.DeleteFunc(examples, func(x Example) bool {
		f := failure{x.Endpoint, x.Error}
		if total == MaxExamples || kept[f] == examplesPerFailure {
			return true
		}
		kept[f]++
		total++
		return false
	})
}
