package result

import (
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

	run   Window                   // what the run as a whole has; no endpoints in it
	parts map[part]*EndpointWindow // every endpoint in every kind of phase: what thresholds can select
	spans []span                   // by index of the phase
}

// part is an endpoint in all phases of one name.
type part struct {
	endpoint int
	phase    string
}

// span is a phase as it was: where it began and ended, and everything in it.
type span struct {
	name     string
	from, to time.Duration
	all      EndpointWindow
	lag      *Histogram
}

// Final is what only the end of a run can tell.
type Final struct {
	Dropped     int64 // sends that were due and never sent
	Interrupted bool
	Cut         bool // the process ended before the run did: what was under way is not accounted for
	StoppedBy   string
	Verdict     Verdict
	Health      HealthSummary
	Thresholds  []Outcome

	// Where capacity was watched.
	Expectations []Expectation
	Elasticity   json.RawMessage
	Timeline     *timeline.Timeline

	Warnings   []string
	MergedFrom []Source
}

// NewBuilder returns a Builder for the windows of a run.
func NewBuilder(meta Meta) *Builder {
	meta.Interval, meta.Plan = meta.interval(), meta.Plan.Redacted()
	b := &Builder{meta: meta, index: meta.index(), parts: map[part]*EndpointWindow{}}
	b.run.ServedBy = map[string]int64{}
	b.run.Connections.ByAddress = map[string]int64{}
	return b
}

// Meta is what the Builder was made for.
func (b *Builder) Meta() *Meta { return &b.meta }

// Add adds a window, which stays as it is. Windows come in order.
func (b *Builder) Add(w *Window) {
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
	r.Events = append(r.Events, w.Events...)

	for len(b.spans) <= w.Phase {
		b.spans = append(b.spans, span{})
	}
	s := &b.spans[w.Phase]
	if s.name == "" {
		s.name, s.from = w.Name, w.From
	}
	s.to = max(s.to, w.To)
	merge(&s.lag, w.Lag)
	for i := range w.Endpoints {
		e := &w.Endpoints[i]
		s.all.add(e)
		of := part{e.Endpoint, w.Name}
		if b.parts[of] == nil {
			b.parts[of] = &EndpointWindow{Endpoint: e.Endpoint}
		}
		b.parts[of].add(e)
	}
}

// AddEvent adds something that happened after the last window.
func (b *Builder) AddEvent(e Event) { b.run.Events = append(b.run.Events, e) }

// Lag is the lateness of the generator itself, over the whole run. Like everything that a Builder
// hands out, it is to be read only, and valid until the next Add.
func (b *Builder) Lag() *Histogram { return b.run.Lag }

// PhaseLag is a phase as far as it tells of the generator's lateness.
type PhaseLag struct {
	Name           string
	From, To       time.Duration
	Lag, Corrected *Histogram
}

// PhaseLags are the phases that the run came to, without the drain.
func (b *Builder) PhaseLags() []PhaseLag {
	var all []PhaseLag
	for _, s := range b.spans {
		if s.name != "" && s.name != plan.Drain {
			all = append(all, PhaseLag{s.name, s.from, s.to, s.lag, s.all.Corrected})
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

// Selection is a part of a run that a threshold can be about.
type Selection struct {
	Seconds float64 // its length: rates are counts ÷ it
	EndpointWindow
}

// RequestsPerSecond is the rate of completions, 0 when no time has passed.
func (s *Selection) RequestsPerSecond() float64 { return perSecond(s.Requests, s.Seconds) }

// ErrorRate is the share of completions that failed, 0 when there are none.
func (s *Selection) ErrorRate() float64 { return ratio(s.Failures, s.Requests) }

// Select sums up an endpoint, all of them for "", in the phases of a name, for "" in the run without
// its drain. It reports whether the plan knows the endpoint and the phase. A phase that the run
// did not come to has no data and no seconds.
func (b *Builder) Select(endpoint, phase string) (Selection, bool) {
	return b.selectIn(endpoint, phase, "")
}

// SelectJudged is Select of the run that is judged when no phase is named: without its drain and its warm-up.
func (b *Builder) SelectJudged(endpoint string) (Selection, bool) {
	return b.selectIn(endpoint, "", plan.WarmUp)
}

func (b *Builder) selectIn(endpoint, phase, without string) (Selection, bool) {
	s := Selection{EndpointWindow: EndpointWindow{Endpoint: -1}}
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
	if !known {
		return Selection{}, false
	}
	if phase == "" {
		s.Seconds = b.loaded().Seconds()
	}
	for _, p := range b.spans {
		switch length := (p.to - p.from).Seconds(); {
		case phase != "" && p.name == phase:
			s.Seconds += length
		case phase == "" && p.name == without:
			s.Seconds = max(0, s.Seconds-length)
		}
	}
	for _, of := range b.sortedParts() {
		in := of.phase == phase || phase == "" && of.phase != plan.Drain && of.phase != without
		if in && (endpoint == "" || of.endpoint == s.Endpoint) {
			s.add(b.parts[of])
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

// Result returns what the windows so far add up to. The caller may change it.
func (b *Builder) Result(f Final) *Result {
	r, start := &b.run, b.meta.StartedAt.UTC()
	out := &Result{
		Schema: Schema, ID: b.meta.ID, Name: b.meta.Plan.Name, Tags: maps.Clone(b.meta.Plan.Tags),
		StartedAt: start, EndedAt: start.Add(r.To), DurationS: r.To.Seconds(), IntervalS: b.meta.Interval.Seconds(),
		Interrupted: f.Interrupted, StoppedBy: f.StoppedBy,
		Verdict: f.Verdict, Plan: b.meta.Plan, Generator: b.meta.Generator,
		Health:         f.Health,
		Connections:    r.Connections,
		ServedBy:       maps.Clone(r.ServedBy),
		Slowest:        exampleJSON(start, r.Slowest),
		FailedExamples: exampleJSON(start, r.FailedExamples),
		Thresholds:     slices.Clone(f.Thresholds),
		Expectations:   slices.Clone(f.Expectations),
		Elasticity:     f.Elasticity,
		Timeline:       f.Timeline,
		Warnings:       slices.Clone(f.Warnings),
		MergedFrom:     slices.Clone(f.MergedFrom),
	}
	out.Connections.ByAddress = maps.Clone(r.Connections.ByAddress)
	for _, e := range r.Events {
		out.Events = append(out.Events, eventJSON(start, e))
	}

	var all EndpointWindow
	var allLoaded int64 // completions before the drain
	parts := b.sortedParts()
	for i, e := range b.meta.Endpoints {
		var sum EndpointWindow
		var loaded int64
		for ; len(parts) > 0 && parts[0].endpoint == i; parts = parts[1:] {
			p := b.parts[parts[0]]
			sum.add(p)
			if parts[0].phase != plan.Drain {
				loaded += p.Requests
			}
		}
		out.Endpoints = append(out.Endpoints, Endpoint{
			Name: e.Name, Method: e.Method, URL: e.URL, Stats: sum.stats(start, perSecond(loaded, b.loaded().Seconds())),
		})
		all.add(&sum)
		allLoaded += loaded
	}
	out.Totals = Totals{Stats: all.stats(start, perSecond(allLoaded, b.loaded().Seconds())), Offered: r.Sent + f.Dropped, Sent: r.Sent, Dropped: f.Dropped}
	for i := range b.spans {
		s := &b.spans[i]
		if s.name == "" {
			continue // the run did not come to it, or it had no length
		}
		out.Phases = append(out.Phases, Phase{
			Name: s.name, FromS: s.from.Seconds(), ToS: s.to.Seconds(), Totals: s.all.stats(start, perSecond(s.all.Requests, (s.to-s.from).Seconds())),
		})
	}
	switch { // nothing is lost silently, not by the generator's own mistakes either
	case f.Cut:
	case r.Offered != out.Totals.Offered:
		out.Warnings = append(out.Warnings, fmt.Sprintf(
			"counts do not add up: %d sends came due, %d were sent and %d dropped", r.Offered, r.Sent, f.Dropped))
	case r.Sent != all.Requests+all.Abandoned:
		out.Warnings = append(out.Warnings, fmt.Sprintf(
			"counts do not add up: %d requests were sent, %d completed and %d were abandoned", r.Sent, all.Requests, all.Abandoned))
	}
	out.fillLists()
	return out
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
