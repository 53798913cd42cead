package attack

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"

	"scalableappbackend/loadgen/measure"
	"scalableappbackend/loadgen/plan"
)

// Script is what one user does: it says what the user sends next, and hears the answer. When the user sends is the
// schedule's to say, how it is sent the transport's; neither knows what a script is after.
//
// A user that joins gets a script of its own, and so does one that returns. Its methods are called one at a time and in
// turn: Next, then Answered, then Next again. Next is called under the lock that all users share, and must be quick.
type Script interface {
	// Next is the user's next request.
	Next() Step
	// Answered tells what came of the last step. It is not called of one that the end of the run cut off.
	Answered(Answer)
}

// Step is one request of a user.
type Step struct {
	// Planned is what is sent: an index into the plan's Requests.
	Planned int
	// Request, when not nil, is sent in place of that: a request of the script's own, which it does not change any more.
	// Its Endpoint must be one of the plan's, because that is what it is counted as.
	Request *plan.Request
	// KeepBody says that the script needs the answer's body, up to the plan's limit. It is discarded otherwise.
	KeepBody bool
}

// Answer is what came of a step, redirects followed.
type Answer struct {
	Kind   measure.Kind // measure.KindNone for a success
	Status int          // 0 without an answer
	Header http.Header  // of the final answer; nil without one, and nobody changes it
	// Body is what was read of it, nil unless the step asked for it. It is the script's to keep.
	Body      []byte
	Truncated bool // the body goes on beyond the plan's limit
}

// weighted is the script of a closed plan: each request is one of the plan's, at random by their weights.
type weighted struct {
	picker *plan.Picker
	random *rand.Rand
}

func (s *weighted) Next() Step      { return Step{Planned: s.picker.Pick(s.random)} }
func (s *weighted) Answered(Answer) {}

// shared is the script of an open plan: whatever slot sends it, each request is the next one by the plan's shares.
type shared struct{ quota *plan.Quota }

func (s *shared) Next() Step      { return Step{Planned: s.quota.Next()} }
func (s *shared) Answered(Answer) {}

// scripts returns what gives each user its script: the configuration's, or that of the plan's model.
func (c *Config) scripts() func(user int, random *rand.Rand) Script {
	switch requests := c.Plan.Requests; {
	case c.Script != nil:
		return c.Script
	case c.Plan.Plan.Model == plan.Open:
		s := &shared{plan.NewQuota(requests)}
		return func(int, *rand.Rand) Script { return s }
	default:
		picker := plan.NewPicker(requests)
		return func(_ int, random *rand.Rand) Script { return &weighted{picker, random} }
	}
}

// reader is what reads an answer's body to its end: it looks for a text, and keeps the body when a script needs it.
type reader struct {
	finder
	keep bool
	kept bytes.Buffer
}

// drain reads a body to its end, or to limit bytes, and closes it; a connection whose body was not
// read to the end is not used again.
func (r *reader) drain(body io.ReadCloser, limit int64) (n int64, truncated bool, err error) {
	defer body.Close()
	var w io.Writer = io.Discard
	switch look := !r.found(); {
	case look && r.keep:
		w = io.MultiWriter(&r.finder, &r.kept)
	case look:
		w = &r.finder
	case r.keep:
		w = &r.kept
	}
	n, err = io.Copy(w, io.LimitReader(body, limit+1))
	if n > limit {
		return limit, true, nil
	}
	return n, false, err
}

// begin forgets what came before: a redirect's body is nobody's.
func (r *reader) begin() {
	r.finder = finder{want: r.want}
	r.kept.Reset()
}

// data takes a piece of a body.
func (r *reader) data(piece []byte) {
	if !r.finder.found() {
		_, _ = r.Write(piece) // never fails
	}
	if r.keep {
		r.kept.Write(piece)
	}
}

// found reports whether the body holds what was wanted of it.
func (r *reader) found() bool { return r == nil || r.finder.found() }

// body is what was kept of the n bytes that count; nil when nothing was to be.
func (r *reader) body(n int64) []byte {
	if r == nil || !r.keep {
		return nil
	}
	kept := r.kept.Bytes()
	return kept[:min(int64(len(kept)), n)]
}
