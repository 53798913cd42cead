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

// Add adds another window of an endpoint, or of another one where e is a sum over several; from stays as it is. It is the one
// place in which counts of requests are added: whatever sums windows up calls it.
func (e *EndpointWindow) Add(from *EndpointWindow) { e.add(from) }

// Total is the sum over the window's endpoints.
func (w *Window) Total() *EndpointWindow {
	all := &EndpointWindow{Endpoint: -1}
	for i := range w.Endpoints {
		all.add(&w.Endpoints[i])
	}
	return all
}

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
	merge(&e.Unanswered, from.Unanswered)
	merge(&e.UnansweredRaw, from.UnansweredRaw)
	merge(&e.Cut, from.Cut)
	merge(&e.CutRaw, from.CutRaw)
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
	w.Clamped += from.Clamped
	w.Standstill = w.Standstill.With(from.Standstill)
	w.Connections.add(from.Connections)
	addCounts(&w.ServedBy, from.ServedBy)
	w.Ended = w.Ended || from.Ended
	for i := range from.Ends {
		w.AddEnd(&from.Ends[i])
	}
	for p := range from.ByDue {
		w.AddPart(p)
	}
}

// AddPart adds sends that were due in one phase; p stays as it is.
func (w *Window) AddPart(p *Part) {
	if w.Parts == nil && p.Phase != w.Phase {
		w.Parts = []Part{}
		if own := w.own(); own.Sent > 0 || len(own.Endpoints) > 0 {
			w.part(w.Phase).add(&own)
		}
	}
	if w.Parts != nil {
		w.part(p.Phase).add(p)
	}
	w.Sent += p.Sent
	merge(&w.Lag, p.Lag)
	merge(&w.SlotWait, p.SlotWait)
	for i := range p.Endpoints {
		w.endpoint(p.Endpoints[i].Endpoint).add(&p.Endpoints[i])
	}
}

// AddEnd adds sends of one phase that no answer ended; e stays as it is.
func (w *Window) AddEnd(e *End) { w.end(e.Phase).add(e) }

// own is the part of a window that was due in its own phase when there is no other.
func (w *Window) own() Part {
	return Part{Phase: w.Phase, Sent: w.Sent, Lag: w.Lag, SlotWait: w.SlotWait, Endpoints: w.Endpoints}
}

// ByDue yields the window's parts by the phase in which their sends were due.
func (w *Window) ByDue(yield func(*Part) bool) {
	if w.Parts == nil {
		own := w.own()
		yield(&own)
		return
	}
	for i := range w.Parts {
		if !yield(&w.Parts[i]) {
			return
		}
	}
}

// part returns the part of a phase, which it makes when there is none.
func (w *Window) part(phase int) *Part {
	i, found := slices.BinarySearchFunc(w.Parts, phase, func(p Part, phase int) int { return cmp.Compare(p.Phase, phase) })
	if !found {
		w.Parts = slices.Insert(w.Parts, i, Part{Phase: phase})
	}
	return &w.Parts[i]
}

// end returns the end of a phase, which it makes when there is none.
func (w *Window) end(phase int) *End {
	i, found := slices.BinarySearchFunc(w.Ends, phase, func(e End, phase int) int { return cmp.Compare(e.Phase, phase) })
	if !found {
		w.Ends = slices.Insert(w.Ends, i, End{Phase: phase})
	}
	return &w.Ends[i]
}

// add adds what another window has of the same phase; from stays as it is.
func (p *Part) add(from *Part) {
	p.Sent += from.Sent
	merge(&p.Lag, from.Lag)
	merge(&p.SlotWait, from.SlotWait)
	for i := range from.Endpoints {
		p.endpoint(from.Endpoints[i].Endpoint).add(&from.Endpoints[i])
	}
}

func (e *End) add(from *End) {
	e.Dropped += from.Dropped
	e.OwnDrops += from.OwnDrops
	e.Unanswered += from.Unanswered
	e.Cut += from.Cut
	merge(&e.UnansweredAges, from.UnansweredAges)
	merge(&e.CutAges, from.CutAges)
}

// addDetails adds the histograms that long runs do not keep for each interval.
func (w *Window) addDetails(from *Window) {
	whole := from.own()
	w.Lag, w.SlotWait, w.Endpoints = addDetails(w.Lag, w.SlotWait, w.Endpoints, &whole)
	for i := range from.Parts {
		p := w.part(from.Parts[i].Phase)
		p.Lag, p.SlotWait, p.Endpoints = addDetails(p.Lag, p.SlotWait, p.Endpoints, &from.Parts[i])
	}
}

func addDetails(lag, slotWait *Histogram, endpoints []EndpointWindow, from *Part) (*Histogram, *Histogram, []EndpointWindow) {
	merge(&lag, from.Lag)
	merge(&slotWait, from.SlotWait)
	for i := range from.Endpoints {
		e := &from.Endpoints[i]
		if e.FirstByte.Count()+e.Connect.Count() == 0 {
			continue
		}
		to := endpointIn(&endpoints, e.Endpoint)
		merge(&to.FirstByte, e.FirstByte)
		merge(&to.Connect, e.Connect)
	}
	return lag, slotWait, endpoints
}

func findEndpoint(sorted []EndpointWindow, index int) (int, bool) {
	return slices.BinarySearchFunc(sorted, index, func(e EndpointWindow, index int) int { return cmp.Compare(e.Endpoint, index) })
}

// endpoint returns the window of an endpoint, which it makes when there is none.
func (w *Window) endpoint(index int) *EndpointWindow { return endpointIn(&w.Endpoints, index) }

func (p *Part) endpoint(index int) *EndpointWindow { return endpointIn(&p.Endpoints, index) }

func endpointIn(sorted *[]EndpointWindow, index int) *EndpointWindow {
	i, found := findEndpoint(*sorted, index)
	if !found {
		*sorted = slices.Insert(*sorted, i, EndpointWindow{Endpoint: index})
	}
	return &(*sorted)[i]
}

// follow adds the window that comes after w in the same run and phase.
func (w *Window) follow(next *Window) {
	w.add(next)
	w.To = next.To
	w.Users, w.InFlight = next.Users, next.InFlight
	w.Health = append(w.Health, next.Health...)
	w.Slowest = slowest(append(w.Slowest, next.Slowest...))
	w.FailedExamples = firstFailures(append(w.FailedExamples, next.FailedExamples...))
	w.Exemplars.follow(&next.Exemplars)
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
	w.FailedExamples = firstFailures(inOrder(append(w.FailedExamples, other.FailedExamples...)))
	w.Exemplars.Slowest = slowest(append(w.Exemplars.Slowest, other.Exemplars.Slowest...))
	w.Exemplars.Failed = firstFailures(inOrder(append(w.Exemplars.Failed, other.Exemplars.Failed...)))
	w.Events = append(w.Events, other.Events...)
	slices.SortStableFunc(w.Events, func(a, b Event) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Detail, b.Detail))
	})
}

// inOrder sorts failures of several generators by when they were sent; the order is total.
func inOrder(failed []Example) []Example {
	slices.SortStableFunc(failed, func(a, b Example) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.Error, b.Error), cmp.Compare(a.Latency, b.Latency))
	})
	return failed
}

// follow adds the exemplars of what comes next.
func (e *Exemplars) follow(next *Exemplars) {
	e.Slowest = slowest(append(e.Slowest, next.Slowest...))
	e.Failed = firstFailures(append(e.Failed, next.Failed...))
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
			cmp.Compare(a.Endpoint, b.Endpoint), cmp.Compare(a.ServedBy, b.ServedBy), cmp.Compare(a.TraceID, b.TraceID),
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

// SumUp fills in what a window's Parts add up to, and drops a division into one.
func (w *Window) SumUp() {
	if len(w.Parts) == 1 && w.Parts[0].Phase == w.Phase {
		own := &w.Parts[0]
		w.Sent, w.Lag, w.SlotWait, w.Endpoints, w.Parts = own.Sent, own.Lag, own.SlotWait, own.Endpoints, nil
		return
	}
	var all Part
	for i := range w.Parts {
		all.add(&w.Parts[i])
	}
	w.Sent, w.Lag, w.SlotWait, w.Endpoints = all.Sent, all.Lag, all.SlotWait, all.Endpoints
}
