package loadgen

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"math"
	"sync"
	"time"

	"scalableappbackend/loadgen/attack"
	"scalableappbackend/loadgen/gate"
	"scalableappbackend/loadgen/measure"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
	"scalableappbackend/loadgen/validity"
)

// session is a Runner's one run under way. It belongs to the goroutine that drives it, but for what mu guards.
type session struct {
	plan    *plan.Ready
	meta    result.Meta
	limits  validity.Limits
	service *embedded

	thresholds []gate.Expr
	abort      *gate.AbortRule

	capacity     Capacity
	expectations []gate.Expr
	ledger       timeline.Ledger  // what was told of capacity
	heard        map[string]bool  // the facts that were told as events, by kind and identity
	watched      time.Duration    // until when capacity was asked
	recovering   bool             // there are no more windows
	seen         []Seen           // as far as capacity is watched
	answers      result.Histogram // likewise: raw latency of the successes

	attack   load
	recorder *measure.Recorder
	probe    *validity.Probe
	watchdog *validity.Watchdog
	verdict  func(validity.Evidence) (result.Validity, []result.Reason)
	builder  *result.Builder
	given    []result.Sink
	sinks    *result.Sinks

	began       time.Time
	offered     int64 // up to the last window
	underWay    int64 // at its end
	phase       int   // of the last window; -1 before the first
	pending     []result.Event
	lastReading time.Duration

	told int // edits of the plan that were told as events

	interrupted bool
	stoppedBy   string
	aborted     bool // stoppedBy is --abort-on

	mu       sync.Mutex       // edits come from anywhere
	revision *result.Revision // of the plan; nil before an edit
}

// prepare does everything that can refuse a run; it writes nothing. An embedded service is the only thing it starts.
func (r *Runner) prepare(ctx context.Context) (*session, error) {
	s := &session{given: r.Sinks, capacity: r.Capacity, heard: map[string]bool{}, phase: -1, verdict: r.Judge}
	if s.verdict == nil {
		s.verdict = validity.Judge
	}
	var abort *gate.Expr
	var err error
	s.thresholds, abort, err = expressions(&r.Plan)
	var expect error
	s.expectations, expect = r.expect()
	if err := errors.Join(r.Plan.Validate(), err, expect); err != nil {
		return nil, err
	}
	s.limits = validity.ReadLimits(ctx, r.MetadataURI)
	if err := preflight(&r.Plan, s.limits); err != nil {
		return nil, err
	}
	if s.service, err = embed(&r.Plan); err != nil {
		return nil, err
	}
	lookup := r.Lookup
	if lookup == nil {
		lookup = func(string) (string, bool) { return "", false }
	}
	if s.plan, err = r.Plan.Prepare(s.service.url, lookup); err == nil && len(r.Turns) > 0 {
		err = takeTurns(&r.Plan, s.plan, r.Turns, lookup)
	}
	if err == nil {
		err = s.checkScopes(abort)
	}
	if err != nil {
		s.service.stop()
		return nil, err
	}
	s.meta = result.Meta{
		Plan:      s.plan.Plan.Redacted(),
		Endpoints: s.plan.Endpoints,
		Phases:    s.plan.Phases,
		Generator: validity.Describe(r.Version, s.limits),
		Expect:    r.Expect,
	}
	if r.HostName != "" {
		s.meta.Plan.Host = r.HostName
	}
	s.recorder = measure.New(measure.Config{Endpoints: s.plan.Endpoints, Phases: s.plan.Phases, Timeout: time.Duration(s.plan.Plan.Client.Timeout)})
	if s.attack, err = newLoad(s.plan, s.recorder, r.Transport); err != nil {
		s.service.stop()
		return nil, err
	}
	return s, nil
}

// begin starts the sinks, waits for the start, sets the run's clock to 0 and tells them when that was. Nothing is sent before
// they know.
func (s *session) begin(ctx context.Context, hold func(context.Context) error) (err error) {
	s.meta.StartedAt = time.Now().UTC() // about, for names
	s.meta.ID = newID(s.meta.StartedAt)
	if s.sinks, err = result.StartSinks(s.given, s.meta); err != nil {
		return err
	}
	if err := hold(ctx); err != nil {
		return err
	}
	s.began = s.attack.Begin()
	s.meta.StartedAt = s.began.UTC()
	s.builder = result.NewBuilder(s.meta)
	if err := s.sinks.Begin(*s.builder.Meta(), sinkDepth); err != nil {
		return err
	}
	for _, warning := range s.plan.Warnings {
		s.event(0, result.EventWarning, warning)
	}
	if s.capacity != nil {
		s.capacity.LoadBegan(s.began)
	}
	s.probe = validity.NewProbe(s.limits, s.began)
	s.watchdog = validity.Watch(s.limits, s.began)
	return nil
}

// sinkDepth is how many windows a sink may be behind before it misses some: a disk may stall for minutes.
const sinkDepth = 300

// newID is unique without coordination, and sorts by time.
func newID(at time.Time) string {
	var random [4]byte
	_, _ = rand.Read(random[:]) // never fails
	return at.Format("20060102T150405Z") + "-" + hex.EncodeToString(random[:])
}

// event keeps something for the next window.
func (s *session) event(at time.Duration, kind, detail string) {
	s.pending = append(s.pending, result.Event{At: at, Type: kind, Detail: detail})
}

// stop ends sending; the first reason given stands.
func (s *session) stop(by string, interrupted bool) {
	if s.stoppedBy == "" {
		s.stoppedBy, s.interrupted = by, interrupted
		s.event(s.attack.Elapsed(), result.EventStop, by)
	}
	s.attack.Stop()
}

// collect completes windows with what the recorder does not know, and hands them on.
func (s *session) collect(windows []*result.Window) {
	for i, w := range windows {
		s.gauge(w)
		s.stood(w, w.To)
		if i == len(windows)-1 {
			s.read(w, time.Second/2)
		}
		s.hand(w)
	}
}

// stood adds to a window what the watchdog found up to a time.
func (s *session) stood(w *result.Window, until time.Duration) {
	found, events := s.watchdog.Until(until)
	w.Standstill = w.Standstill.With(found)
	w.Events = append(w.Events, events...)
}

// gauge fills in what a window shows of the schedule, and how many requests were under way at its end.
func (s *session) gauge(w *result.Window) {
	var offered int64
	if offered, w.Users = s.attack.Gauges(w.To); offered < 0 {
		offered = s.offered + w.Sent
	}
	w.Offered, s.offered = offered-s.offered, offered
	s.underWay += w.Sent
	for i := range w.Endpoints {
		s.underWay -= w.Endpoints[i].Requests + w.Endpoints[i].Abandoned
	}
	w.InFlight = int(s.underWay)
}

// last hands on the windows up to the run's end, and makes the books balance: what the outcome says was offered is
// final, while a window's figure was taken under way.
func (s *session) last(outcome attack.Outcome) {
	windows := s.recorder.Close(outcome.DrainEnded)
	s.watchdog.Close()
	for i, w := range windows {
		before := s.offered
		s.gauge(w)
		if i == len(windows)-1 {
			w.Offered, w.Users = outcome.Offered-before, 0
			s.read(w, time.Second/2)
			s.stood(w, math.MaxInt64)
		} else {
			s.stood(w, w.To)
		}
		s.hand(w)
	}
	s.probe.Close()
}

// read adds a reading of the generator's health, unless too little time has passed since the one before for
// shares of it to mean anything. A run that was shorter than that gets one all the same.
func (s *session) read(w *result.Window, atLeast time.Duration) {
	now := s.attack.Elapsed()
	if now-s.lastReading < atLeast && s.lastReading > 0 {
		return
	}
	s.lastReading = now
	w.Health = append(w.Health, s.probe.Read(time.Now()))
}

// hand gives a finished window to everyone who reads windows. After this it is not changed any more.
func (s *session) hand(w *result.Window) {
	if w.Phase != s.phase {
		s.phase = w.Phase
		w.Events = append(w.Events, result.Event{At: w.From, Type: result.EventPhase, Detail: w.Name})
	}
	s.edited(w)
	s.learn()
	w.Events = append(w.Events, s.pending...)
	s.pending = nil
	s.builder.Add(w)
	if s.capacity != nil && w.To > w.From {
		s.seen = append(s.seen, SeenIn(w))
		for i := range w.Endpoints {
			s.answers.Merge(w.Endpoints[i].Raw)
		}
	}
	s.sinks.Window(w)
	if s.abort != nil {
		if failed, stop := s.abort.Window(w); stop {
			s.aborted = s.aborted || s.stoppedBy == ""
			s.stop("--abort-on "+failed.Expression+": "+failed.Detail, false)
		}
	}
}
