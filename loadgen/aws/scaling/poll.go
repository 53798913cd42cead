package scaling

import (
	"context"
	"math/rand/v2"
	"time"

	"scalableappbackend/loadgen/aws/session"
)

// SaidWithin is how soon trouble with an API is said: a call that has no answer by then has failed.
const SaidWithin = 5 * time.Second

// Lag is how late what happened is told of as a rule: the time between two looks at tasks, and their calls.
const Lag = 8 * time.Second

// callTimeout bounds a call with its retries, so that its failure is reported in time.
const callTimeout = 4 * time.Second

// slowest is the longest time between two calls of an API that refuses them or asks for fewer.
const slowest = time.Minute

// reader reads one API.
type reader struct {
	what  string        // what is not known without it
	every time.Duration // between calls
	read  func(ctx context.Context, now time.Time) error
	needs string // the reader that tells what to ask for, when everything is read at once

	// Of the loop, under Watcher.mu.
	pause   time.Duration // between calls now
	trouble string        // what was said last, and has not ended
}

// The readers that others need.
const (
	ofService  = "desired counts, deployments and events"
	ofPolicies = "policies"
	ofAlarms   = "the definitions of alarms"
)

// allReaders is the table of what is asked, and how often. For a service with one policy that is some 105 calls a minute over four
// APIs, and for each more 16: the most of one API are the 48 of ECS, three of which read the tasks.
func (w *Watcher) allReaders() []*reader {
	return []*reader{
		{what: ofService, every: 5 * time.Second, read: w.readService},
		{what: "bounds and suspended scaling", every: 15 * time.Second, read: w.readTarget},
		{what: ofPolicies, every: time.Minute, read: w.readPolicies},
		{what: ofAlarms, every: time.Minute, read: w.readAlarms, needs: ofPolicies},
		{what: "the lives of tasks", every: 5 * time.Second, read: w.readTasks},
		{what: "target health", every: 3 * time.Second, read: w.readHealth, needs: ofService},
		{what: "scaling activities", every: 5 * time.Second, read: w.readActivities},
		{what: "the histories of alarms", every: 10 * time.Second, read: w.readHistory, needs: ofAlarms},
		{what: "metrics", every: 20 * time.Second, read: w.readMetrics, needs: ofAlarms},
		{what: "mute rules", every: 30 * time.Second, read: w.readMutes, needs: ofAlarms},
		{what: "how long a target drains", every: 10 * time.Minute, read: w.readDrain, needs: ofService},
	}
}

// read makes one round of an API's calls, and says what is new of its trouble.
func (w *Watcher) read(ctx context.Context, r *reader) {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	err := r.read(call, w.o.Now())
	if ctx.Err() != nil {
		return // it was ended, and did not fail
	}
	w.mu.Lock()
	line := r.became(err)
	w.dirty = true
	w.mu.Unlock()
	if line != "" {
		w.o.Say(line)
	}
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// became takes the outcome of a round, and returns what there is to say of it, once.
func (r *reader) became(err error) (line string) {
	if err == nil {
		r.pause = r.every
		if r.trouble != "" {
			line, r.trouble = "capacity: "+r.what+" can be read again", ""
		}
		return line
	}
	r.pause = min(max(2*r.pause, 2*r.every), max(slowest, r.every))
	if kind := session.KindOf(err); kind == session.Denied {
		r.pause = max(slowest, r.every) // somebody may add the permission
	}
	// The kind decides whether it is another trouble; requests differ in their ids.
	text := r.what + " cannot be read: " + session.Explain(err).Error()
	if r.trouble != "" {
		return ""
	}
	r.trouble = text
	return "capacity: " + text + "; the rest is watched on"
}

// loop reads until it is ended. Readers do not keep step with each other, nor with other watchers.
func (w *Watcher) loop(ctx context.Context, r *reader) {
	pause := r.every
	for {
		timer := time.NewTimer(pause - time.Duration(rand.Int64N(int64(r.every/10)+1)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		w.read(ctx, r)
		w.mu.Lock()
		pause = r.pause
		w.mu.Unlock()
	}
}
