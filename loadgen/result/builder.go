package result

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/timeline"
)

// Builder sums up windows into a Result. A live run and a run that is read from its files go
// through the same Builder, so that both give the same figures. It keeps histograms and counts,
// not windows: memory grows with endpoints and with the values they took, not with time, but for
// some 50 bytes a second of the generator's health. It does no locking.
type Builder struct {
	meta  Meta
	index map[string]int

	run    Window                   // what the run as a whole has; no endpoints in it
	parts  map[part]*EndpointWindow // every endpoint in every kind of phase, by when it was due: what thresholds can select
	served map[part]int64           // requests by the kind of phase in which they completed
	spans  []span                   // by index of the phase
	shape  shape
}

// part is an endpoint in all phases of one name.
type part struct {
	endpoint int
	phase    string
}

// span is a phase as it was: where it began and ended, and everything that was due in it.
type span struct {
	name      string
	seen      bool // the run came to it
	from, to  time.Duration
	completed int64 // in it, whenever due
	Part
}

// Final is what only the end of a run can tell.
type Final struct {
	Interrupted bool
	Cut         bool // the process ended before the run did: what was under way is not accounted for
	StoppedBy   string
	Aborted     bool // a rule of the plan ended the run: its abort_on
	Verdict     Verdict
	Health      HealthSummary
	Thresholds  []Outcome

	// Where capacity was watched.
	Expectations []Expectation
	Elasticity   json.RawMessage
	Timeline     *timeline.Timeline

	Warnings   []string
	Deliveries []Delivery
	MergedFrom []Source
}

// NewBuilder returns a Builder for the windows of a run.
func NewBuilder(meta Meta) *Builder {
	meta.Interval, meta.Plan = meta.interval(), meta.Plan.Redacted()
	b := &Builder{meta: meta, index: meta.index(), parts: map[part]*EndpointWindow{}, served: map[part]int64{}}
	b.run.ServedBy = map[string]int64{}
	b.run.Connections.ByAddress = map[string]int64{}
	return b
}

// Meta is what the Builder was made for.
func (b *Builder) Meta() *Meta { return &b.meta }

// Add adds a window, which stays as it is. Windows come in order.
func (b *Builder) Add(w *Window) {
	if w.Revision != nil {
		b.meta.Plan, b.meta.Phases = w.Revision.Plan, w.Revision.Phases
	}
	r := &b.run
	r.To = max(r.To, w.To)
	r.Offered += w.Offered
	r.Sent += w.Sent
	r.Clamped += w.Clamped
	r.Standstill = r.Standstill.With(w.Standstill)
	merge(&r.Lag, w.Lag)
	merge(&r.SlotWait, w.SlotWait)
	r.Connections.Opened += w.Connections.Opened
	r.Connections.Reused += w.Connections.Reused
	r.Connections.Retried += w.Connections.Retried
	addBounded(r.Connections.ByAddress, w.Connections.ByAddress)
	addBounded(r.ServedBy, w.ServedBy)
	for _, h := range w.Health {
		r.Health = append(r.Health, h.rounded())
	}
	r.Slowest = slowest(append(r.Slowest, w.Slowest...))
	r.FailedExamples = firstFailures(append(r.FailedExamples, w.FailedExamples...))
	r.Exemplars.follow(&w.Exemplars)
	r.Events = append(r.Events, w.Events...)

	r.Ended = r.Ended || w.Ended
	for i := range w.Ends {
		r.AddEnd(&w.Ends[i])
	}

	b.shape.add(w)
	s := b.span(w.Phase)
	if !s.seen {
		s.seen, s.from = true, w.From
	}
	s.to = max(s.to, w.To)
	for i := range w.Endpoints {
		e := &w.Endpoints[i]
		s.completed += e.Requests
		b.served[part{e.Endpoint, w.Name}] += e.Requests
	}
	for p := range w.ByDue {
		due := b.span(p.Phase)
		due.Sent += p.Sent
		merge(&due.Lag, p.Lag)
		merge(&due.SlotWait, p.SlotWait)
		for i := range p.Endpoints {
			e := &p.Endpoints[i]
			due.all().add(e)
			of := part{e.Endpoint, due.name}
			if b.parts[of] == nil {
				b.parts[of] = &EndpointWindow{Endpoint: e.Endpoint}
			}
			b.parts[of].add(e)
		}
	}
}

// span returns what is kept of a phase.
func (b *Builder) span(phase int) *span {
	for len(b.spans) <= phase {
		i := len(b.spans)
		s := span{Part: Part{Phase: i, Endpoints: make([]EndpointWindow, 1)}}
		if i < len(b.meta.Phases) {
			s.name = b.meta.Phases[i].Name
		}
		b.spans = append(b.spans, s)
	}
	return &b.spans[phase]
}

// all is the sum over the endpoints of a phase.
func (s *span) all() *EndpointWindow { return &s.Endpoints[0] }

// AddEvent adds something that happened after the last window.
func (b *Builder) AddEvent(e Event) { b.run.Events = append(b.run.Events, e) }

// Lag is the lateness of the generator itself, over the whole run. Like everything that a Builder
// hands out, it is to be read only, and valid until the next Add.
func (b *Builder) Lag() *Histogram { return b.run.Lag }

// PhaseLag is what was due in a phase, as far as it tells of the generator's lateness.
type PhaseLag struct {
	Name           string
	From, To       time.Duration
	Lag, Corrected *Histogram
}

// PhaseLags are the phases that the run came to, without holds and the drain.
func (b *Builder) PhaseLags() []PhaseLag {
	var all []PhaseLag
	for i := range b.spans {
		if s := &b.spans[i]; !plan.Idle(s.name) && (s.seen || s.Sent > 0) {
			all = append(all, PhaseLag{s.name, s.from, s.to, s.Lag, s.all().Corrected})
		}
	}
	return all
}

// SlotWait is the time that due sends waited for a slot, over the whole run.
func (b *Builder) SlotWait() *Histogram { return b.run.SlotWait }

// Health is the generator's condition, second by second.
func (b *Builder) Health() []Health { return b.run.Health }

// Standstill is when the generator stood still.
func (b *Builder) Standstill() Standstill { return b.run.Standstill }

// Loaded is the length of the load so far: the time until the drain began.
func (b *Builder) Loaded() time.Duration { return b.loaded() }

// Clamped is how many latencies were above MaxLatency.
func (b *Builder) Clamped() int64 { return b.run.Clamped }

// Counts are the sends that came due and those that left so far.
func (b *Builder) Counts() (offered, sent int64) { return b.run.Offered, b.run.Sent }

// Dropped is how many sends were due and never left; nil when nobody counted.
func (b *Builder) Dropped() *int64 {
	if !b.run.Ended {
		return nil
	}
	var n int64
	for i := range b.run.Ends {
		n += b.run.Ends[i].Dropped
	}
	return &n
}

// OwnDrops is how many of those the generator itself left behind.
func (b *Builder) OwnDrops() (n int64) {
	for i := range b.run.Ends {
		n += b.run.Ends[i].OwnDrops
	}
	return n
}

// Errors are the ways in which requests failed, over the whole run.
func (b *Builder) Errors() []ErrorCount {
	var all EndpointWindow
	for i := range b.spans {
		for _, x := range b.spans[i].all().Errors {
			all.addError(x)
		}
	}
	return all.Errors
}

// Selection is a part of a run that a threshold can be about: what was due in it.
type Selection struct {
	Seconds   float64 // its length
	Completed int64   // requests that completed within it, whenever they were due
	EndpointWindow

	// Ended says that sends without an answer were counted. Unsent are those of them that were never sent,
	// with their ages; they belong to no endpoint.
	Ended  bool
	Unsent End
}

// RequestsPerSecond is the rate of completions, 0 when no time has passed.
func (s *Selection) RequestsPerSecond() float64 { return perSecond(s.Completed, s.Seconds) }

// Select sums up an endpoint, all of them for "", that was due in the phases of a name, for "" in the run
// without its warm-up. It reports whether the plan knows the endpoint and the phase. A phase that the run
// did not come to has no data and no seconds.
func (b *Builder) Select(endpoint, phase string) (Selection, bool) {
	s := Selection{EndpointWindow: EndpointWindow{Endpoint: -1}, Ended: b.run.Ended}
	if endpoint != "" {
		index, known := b.index[endpoint]
		if !known {
			return Selection{}, false
		}
		s.Endpoint = index
	}
	known := phase == ""
	for _, p := range b.meta.Phases {
		known = known || p.Name == phase
	}
	if len(b.meta.Plan.Edits) > 0 { // the plan had it, and an edit came before it
		known = known || phase == plan.Ramp || phase == plan.Steady
	}
	if !known {
		return Selection{}, false
	}
	in := func(name string) bool { return name == phase || phase == "" && name != plan.WarmUp }
	for i := range b.spans {
		if p := &b.spans[i]; in(p.name) && (!plan.Idle(p.name) || phase != "") {
			s.Seconds += (p.to - p.from).Seconds()
		}
	}
	for _, of := range b.sortedParts() {
		if in(of.phase) && (endpoint == "" || of.endpoint == s.Endpoint) {
			s.add(b.parts[of])
		}
	}
	for of, n := range b.served {
		if in(of.phase) && (!plan.Idle(of.phase) || phase != "") && (endpoint == "" || of.endpoint == s.Endpoint) {
			s.Completed += n
		}
	}
	for i := range b.run.Ends {
		if e := &b.run.Ends[i]; endpoint == "" && in(b.span(e.Phase).name) {
			s.Unsent.add(e)
		}
	}
	return s, true
}

// sortedParts gives sums one order, and so lists of errors.
func (b *Builder) sortedParts() []part {
	parts := slices.Collect(maps.Keys(b.parts))
	slices.SortFunc(parts, func(x, y part) int {
		if x.endpoint != y.endpoint {
			return x.endpoint - y.endpoint
		}
		return int(b.firstOf(x.phase) - b.firstOf(y.phase))
	})
	return parts
}

func (b *Builder) firstOf(phase string) int {
	return slices.IndexFunc(b.spans, func(s span) bool { return s.name == phase })
}

// loaded is the time until the drain began.
func (b *Builder) loaded() time.Duration {
	var to time.Duration
	for _, s := range b.spans {
		if s.name != plan.Drain {
			to = max(to, s.to)
		}
	}
	return to
}

// rated is the time in which sends became due: the load without its holds.
func (b *Builder) rated() time.Duration {
	rated := b.loaded()
	for _, s := range b.spans {
		if s.name == plan.Held {
			rated -= s.to - s.from
		}
	}
	return rated
}

// Result returns what the windows so far add up to. The caller may change it.
func (b *Builder) Result(f Final) *Result {
	r, start := &b.run, b.meta.StartedAt.UTC()
	out := &Result{
		Schema: b.meta.schema(), ID: b.meta.ID, Name: b.meta.Plan.Name, Tags: maps.Clone(b.meta.Plan.Tags),
		StartedAt: start, EndedAt: start.Add(r.To), DurationS: r.To.Seconds(), IntervalS: b.meta.Interval.Seconds(),
		Interrupted: f.Interrupted, StoppedBy: f.StoppedBy, Aborted: f.Aborted,
		Verdict: f.Verdict, Plan: b.meta.Plan, Generator: b.meta.Generator,
		Health:         f.Health,
		Connections:    r.Connections,
		ServedBy:       maps.Clone(r.ServedBy),
		Slowest:        exampleJSON(start, r.Slowest),
		FailedExamples: exampleJSON(start, r.FailedExamples),
		Exemplars:      exemplarsJSON(start, &r.Exemplars),
		Thresholds:     slices.Clone(f.Thresholds),
		Expectations:   slices.Clone(f.Expectations),
		Elasticity:     f.Elasticity,
		Timeline:       f.Timeline,
		Warnings:       slices.Clone(f.Warnings),
		Deliveries:     slices.Clone(f.Deliveries),
		MergedFrom:     slices.Clone(f.MergedFrom),
	}
	out.Silence = b.shape.silence(&b.meta.Plan, b.loaded())
	if b.shape.hasPace && b.meta.Plan.Model == plan.Closed {
		out.Pace = new(b.shape.pace)
	}
	out.Connections.ByAddress = maps.Clone(r.Connections.ByAddress)
	// In order of time: what was told late stands in its place.
	events := slices.Clone(r.Events)
	slices.SortStableFunc(events, func(a, b Event) int { return cmp.Compare(a.At, b.At) })
	for _, e := range events {
		out.Events = append(out.Events, eventJSON(start, e))
	}

	var all EndpointWindow
	var allLoaded int64 // completions before the drain, without holds
	var ends End
	for i := range r.Ends {
		ends.add(&r.Ends[i])
	}
	parts := b.sortedParts()
	for i, e := range b.meta.Endpoints {
		var sum EndpointWindow
		var loaded int64
		for ; len(parts) > 0 && parts[0].endpoint == i; parts = parts[1:] {
			sum.add(b.parts[parts[0]])
		}
		for of, n := range b.served {
			if of.endpoint == i && !plan.Idle(of.phase) {
				loaded += n
			}
		}
		out.Endpoints = append(out.Endpoints, Endpoint{
			Name: e.Name, Method: e.Method, URL: e.URL, Stats: sum.stats(start, perSecond(loaded, b.rated().Seconds()), sum.missed(r.Ended)),
		})
		all.add(&sum)
		allLoaded += loaded
	}
	out.Totals = Totals{Stats: all.stats(start, perSecond(allLoaded, b.rated().Seconds()), ends.missed(r.Ended)), Offered: r.Offered, Sent: r.Sent}
	out.Corrected = all.Corrected.Clone()
	if r.Ended {
		out.Totals.Offered, out.Totals.Dropped, out.Totals.OwnDrops = r.Sent+ends.Dropped, new(ends.Dropped), new(ends.OwnDrops)
	}
	for i := range b.spans {
		s := &b.spans[i]
		if !s.seen {
			continue // the run did not come to it, or it had no length
		}
		rate := perSecond(s.completed, (s.to - s.from).Seconds())
		if plan.Idle(s.name) && b.meta.schema() != SchemaV1 {
			rate = 0 // nothing is due in it
		}
		var end End
		if j, found := slices.BinarySearchFunc(r.Ends, i, func(e End, i int) int { return cmp.Compare(e.Phase, i) }); found {
			end = r.Ends[j]
		}
		out.Phases = append(out.Phases, Phase{
			Name: s.name, FromS: s.from.Seconds(), ToS: s.to.Seconds(), Totals: s.all().stats(start, rate, end.missed(r.Ended)),
		})
	}
	lost := ends.Unanswered + ends.Cut + ends.OwnDrops
	switch { // nothing is lost silently, not by the generator's own mistakes either
	case f.Cut || !r.Ended:
	case r.Offered != out.Totals.Offered:
		out.Warnings = append(out.Warnings, fmt.Sprintf(
			"counts do not add up: %d sends came due, %d were sent and %d dropped", r.Offered, r.Sent, ends.Dropped))
	case ends.Dropped+all.Abandoned != lost:
		out.Warnings = append(out.Warnings, fmt.Sprintf(
			"counts do not add up: %d sends dropped and %d abandoned, of which %d were unanswered, %d cut and %d the generator's",
			ends.Dropped, all.Abandoned, ends.Unanswered, ends.Cut, ends.OwnDrops))
	case r.Sent != all.Requests+all.Abandoned:
		out.Warnings = append(out.Warnings, fmt.Sprintf(
			"counts do not add up: %d requests were sent, %d completed and %d were abandoned", r.Sent, all.Requests, all.Abandoned))
	}
	out.fillLists()
	return out
}

// missed are all of a phase that no answer ended, sent or not.
func (e *End) missed(known bool) missed {
	if !known {
		return missed{}
	}
	return missed{new(e.Unanswered), new(e.Cut)}
}

// fillLists makes empty lists and maps of missing ones: readers of JSON should not meet null.
func (r *Result) fillLists() {
	list(&r.Plan.Targets)
	list(&r.Verdict.Reasons)
	list(&r.Endpoints)
	list(&r.Phases)
	list(&r.Slowest)
	list(&r.FailedExamples)
	list(&r.Thresholds)
	list(&r.Warnings)
	list(&r.Events)
	list(&r.Health.Unknown)
	object(&r.Tags)
	object(&r.ServedBy)
	stats := []*Stats{&r.Totals.Stats}
	for i := range r.Endpoints {
		stats = append(stats, &r.Endpoints[i].Stats)
	}
	for i := range r.Phases {
		stats = append(stats, &r.Phases[i].Totals)
	}
	for _, s := range stats {
		list(&s.Errors)
		object(&s.Status)
	}
}

func list[T any](s *[]T) {
	if *s == nil {
		*s = []T{}
	}
}

func object[V any](m *map[string]V) {
	if *m == nil {
		*m = map[string]V{}
	}
}
