package loadgen

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"scalableappbackend/loadgen/attack"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// Handle is a run under way: what whoever watches it may do to it. All that ends a run or changes it goes through here:
// signals, keys, lines of a script, and --abort-on by the run itself. Its methods may be called from any goroutine, at any
// time and as often as one likes; after the run has ended they change nothing.
//
// Stopping is asked for, and takes the time that the plan's stop timeout allows: Wait says when it is done. An edit, in
// contrast, holds from the instant at which Edit returns. It is kept in the plan of the result with that instant, so that
// the result's plan, run again, does what this run did.
type Handle struct {
	session *session
	end     context.CancelCauseFunc
	cut     chan struct{}
	once    sync.Once // cut is closed

	done   chan struct{}
	result *result.Result // once done is closed
	err    error
}

// Start starts the plan and returns when its clock reads 0. The run ends early, with what was measured, when ctx is done;
// the cause of ctx then stands in the result as stopped_by. An error is of type *InputError: nothing was started.
func (r *Runner) Start(ctx context.Context) (*Handle, error) {
	s, err := r.prepare(ctx)
	if err != nil {
		return nil, &InputError{err}
	}
	if err := s.begin(ctx, r.hold); err != nil {
		if d, ok := s.attack.(discardable); ok {
			d.Discard()
		}
		s.service.stop()
		return nil, &InputError{err}
	}
	ctx, end := context.WithCancelCause(ctx)
	h := &Handle{session: s, end: end, cut: make(chan struct{}), done: make(chan struct{})}
	if r.Cut != nil {
		go func() {
			select {
			case <-r.Cut:
				h.Cut()
			case <-h.done:
			}
		}()
	}
	go func() {
		defer close(h.done)
		defer end(nil)
		defer s.service.stop()
		h.result, h.err = s.finish(ctx, s.drive(ctx, h.cut))
	}()
	return h, nil
}

// Wait returns what came of the run when it has ended. An error comes beside a Result.
func (h *Handle) Wait() (*result.Result, error) {
	<-h.done
	return h.result, h.err
}

// Done is closed when the run has ended.
func (h *Handle) Done() <-chan struct{} { return h.done }

// Stop ends sending now: what is due or under way may still finish within the plan's stop timeout. The run is then
// interrupted, and by is the result's stopped_by, if it is the first reason to stop that was given. A run whose load has
// ended and that waits for capacity to come back ends too.
func (h *Handle) Stop(by string) { h.end(errors.New(by)) }

// Cut ends the drain at once: what is under way is cut and counted as abandoned. It ends sending as well.
func (h *Handle) Cut() { h.once.Do(func() { close(h.cut) }) }

// Edit changes the load from now on: users, or the rate, the spawn rate, the run time, or whether it is paused. The At of
// an edit does not matter. Several edits hold from one instant. An edit that the plan does not allow, or this machine, is
// refused with an error of type *input.Error and changes nothing; when sending has ended the error is [ErrEnded].
func (h *Handle) Edit(edits ...plan.Edit) error { return h.session.edit(slices.Clone(edits)) }

// ErrEnded is that a run cannot be edited any more: its sending has ended.
var ErrEnded = attack.ErrEnded

// Plan is the plan with its edits so far; it holds no secrets.
func (h *Handle) Plan() plan.Plan { return *h.session.current() }

// Elapsed is the time on the run's clock.
func (h *Handle) Elapsed() time.Duration { return h.session.attack.Elapsed() }

// edit has the attack follow an edited plan, and keeps what the windows have to tell of it.
func (s *session) edit(edits []plan.Edit) error {
	next := s.plan.Plan
	next.Edits = s.current().Edits
	now := s.attack.Elapsed()
	if n := len(next.Edits); n > 0 {
		now = max(now, next.Edits[n-1].At)
	}
	for i := range edits {
		edits[i].At = now
	}
	if next, err := next.Edited(edits...); err == nil { // else the attack says what is wrong with it
		if err := preflight(&next, s.limits); err != nil {
			return err
		}
	}
	a, ok := s.attack.(editable)
	if !ok {
		_, err := next.Edited(edits...)
		return err
	}
	return a.Edit(func(r attack.Revision) {
		s.mu.Lock()
		defer s.mu.Unlock()
		p := s.meta.Plan
		p.Edits = r.Plan.Edits
		s.revision = &result.Revision{Plan: p, Phases: r.Load.Phases}
	}, edits...)
}

// current is the plan as it has been edited so far. Nobody changes it.
func (s *session) current() *plan.Plan {
	if r := s.revised(); r != nil {
		return &r.Plan
	}
	return &s.meta.Plan
}

// revised is what the last edit made of the plan; nil before the first.
func (s *session) revised() *result.Revision {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revision
}

// edited tells of the edits that came before the end of a window, whether made during the run or planned before.
func (s *session) edited(w *result.Window) {
	w.Revision = s.revised()
	edits := s.current().Edits
	for ; s.told < len(edits) && edits[s.told].At < w.To; s.told++ {
		e := edits[s.told]
		w.Events = append(w.Events, result.Event{At: e.At, Type: result.EventEdit, Detail: e.String()})
	}
}
