package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/lab"
	"scalableappbackend/loadgen/timeline"
)

// teller writes lines that several sources know of in order of time: a line waits until no source can come with an
// earlier one. A source says until when it has told all by calling until.
type teller struct {
	w io.Writer

	mu      sync.Mutex
	waiting []told
	known   map[string]time.Duration // of each source
}

type told struct {
	at   time.Duration // on the run's clock
	text string
}

// allTold is until when a source has told that tells no more.
const allTold = time.Duration(1<<63 - 1)

// newTeller waits for these sources.
func newTeller(w io.Writer, sources ...string) *teller {
	t := &teller{w: w, known: map[string]time.Duration{}}
	for _, s := range sources {
		t.known[s] = -1
	}
	return t
}

// tell takes a line. One of an instant that was written already comes at once.
func (t *teller) tell(at time.Duration, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.waiting = append(t.waiting, told{at, text})
}

// until says that a source has told all that was until at, and writes what is known to be next.
func (t *teller) until(source string, at time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.known[source] = max(t.known[source], at)
	all := allTold
	for _, at := range t.known {
		all = min(all, at)
	}
	slices.SortStableFunc(t.waiting, func(a, b told) int { return int(min(max(a.at-b.at, -1), 1)) })
	for len(t.waiting) > 0 && t.waiting[0].at <= all {
		text := t.waiting[0].text
		t.waiting = t.waiting[1:]
		_, _ = io.WriteString(t.w, text+"\n") // or not: a log that nobody takes any more is no reason to end a run
	}
}

// The sources of a lab's lines.
const (
	fromWindows  = "windows"
	fromCapacity = "capacity"
)

// story tells what capacity does while it does it, a line each, once:
//
//	0:09 (simulated 3:00) desired 2 → 6: requests-AlarmHigh
//	0:11 (simulated 3:44) 6 tasks healthy
//
// It reads a timeline that grows. What lies a moment before the timeline's end is there and does not change any more; what is
// at its end may have company yet, and waits for the next look.
type story struct {
	teller *teller

	mu         sync.Mutex
	activities int
	events     int
	past       time.Duration  // until when capacity was looked at
	before     timeline.Point // the capacity then
	began      bool
	moving     bool          // capacity is not what is desired
	said       time.Duration // when the last line was
	ended      string        // what is to be said of the load's end; empty until then, or when it was
	recovering bool
}

// recoveryLine is how often a recovery in which nothing happens says that it goes on.
const recoveryLine = 10 * time.Second

// settled is how long what happened may take until it is in the timeline.
const settled = 50 * time.Millisecond

// look tells what is new in a timeline. last is that there is no other after it.
func (s *story) look(t *timeline.Timeline, last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sure := t.End - settled
	if last {
		sure = t.End
	}
	for ; s.activities < len(t.Activities) && t.Activities[s.activities].At <= sure; s.activities++ {
		a := &t.Activities[s.activities]
		if a.Status == timeline.NotScaled {
			s.line(t, a.At, "not scaled: %s (%s)", strings.Join(a.NotScaledReasons, ", "), alarm(a))
			continue
		}
		s.line(t, a.At, "desired %d → %d: %s", a.From, a.To, alarm(a))
	}
	for ; s.events < len(t.Events) && t.Events[s.events].At <= sure; s.events++ {
		if e := t.Events[s.events]; e.Type != lab.EventDraining { // which follows from the line above
			s.line(t, e.At, "%s: %s", e.Type, e.Detail)
		}
	}
	for _, p := range t.Points {
		if p.At > sure || s.began && p.At <= s.past {
			continue
		}
		rests := p.Running == p.Desired && p.Healthy == p.Desired && p.Draining == 0
		if s.moving && rests {
			s.line(t, p.At, "%s healthy", tasks(p.Healthy, "task"))
		}
		s.moving, s.before, s.past, s.began = !rests, p, p.At, true
	}
	if s.ended != "" {
		s.line(t, t.LoadTo, "load ended: %s", s.ended)
		s.ended, s.recovering = "", true
	}
	if at := s.said + recoveryLine; s.recovering && !last && sure >= at {
		s.line(t, at, "recovering: %s healthy", tasks(s.before.Healthy, "task"))
	}
	s.past = max(s.past, sure)
	if last {
		sure = allTold
	}
	s.teller.until(fromCapacity, sure)
}

// recover says that the load has ended and what is waited for, at most as long.
func (s *story) recover(low int, until time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = "watching until " + isLeft(low) + ", at most until " + units.Clock(until)
}

func isLeft(n int) string {
	if n == 1 {
		return "1 task is left"
	}
	return tasks(n, "task") + " are left"
}

func (s *story) line(t *timeline.Timeline, at time.Duration, format string, args ...any) {
	s.said = max(s.said, at)
	when := units.Clock(at)
	if t.Speedup != 1 {
		when += " (simulated " + units.Clock(time.Duration(float64(at)*t.Speedup)) + ")"
	}
	s.teller.tell(at, when+" "+fmt.Sprintf(format, args...))
}

// alarm is what an activity came from, in short.
func alarm(a *timeline.Activity) string {
	for _, kind := range []string{"AlarmHigh", "AlarmLow"} {
		if a.Policy != "" && strings.Contains(a.Cause, kind) {
			return a.Policy + "-" + kind
		}
	}
	return a.Cause
}
