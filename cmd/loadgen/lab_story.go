package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/lab"
	"scalableappbackend/loadgen/timeline"
)

// story tells what capacity does while it does it, a line each:
//
//	0:09 (service 3:00) desired 2 → 6: requests-AlarmHigh
//	0:11 (service 3:44) 6 tasks healthy
type story struct {
	w io.Writer

	mu         sync.Mutex
	activities int
	events     int
	moving     bool          // desired capacity has changed and is not there yet
	said       time.Duration // when the last line was written
	ended      bool          // load has, and it is to be said once other lines about the load are written
	waits      string        // what for, and how long at most
	recovering bool
}

// recoveryLine is how often a recovery in which nothing happens says that it goes on.
const recoveryLine = 10 * time.Second

// tell writes what is new in a timeline. last is that there is no other after it.
func (s *story) tell(t *timeline.Timeline, last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range t.Activities[min(s.activities, len(t.Activities)):] {
		s.activities++
		if a.Status == timeline.NotScaled {
			s.line(t, a.At, "not scaled: %s (%s)", strings.Join(a.NotScaledReasons, ", "), alarm(&a))
			continue
		}
		s.moving = true
		s.line(t, a.At, "desired %d → %d: %s", a.From, a.To, alarm(&a))
	}
	for _, e := range t.Events[min(s.events, len(t.Events)):] {
		s.events++
		if e.Type != lab.EventDraining { // which follows from the line above
			s.line(t, e.At, "%s: %s", e.Type, e.Detail)
		}
	}
	if s.ended {
		s.ended, s.recovering = false, true
		s.line(t, t.LoadTo, "load ended: %s", s.waits)
	}
	p := t.At(t.End)
	rests := p.Running == p.Desired && p.Healthy == p.Desired && p.Draining == 0
	if s.moving && rests {
		s.moving = false
		s.line(t, p.At, "%s healthy", tasks(p.Healthy, "task"))
	}
	if s.recovering && !last && t.End-s.said >= recoveryLine {
		s.line(t, t.End, "recovering: %s healthy", tasks(p.Healthy, "task"))
	}
}

// recover says that the load has ended and what is waited for, at most as long.
func (s *story) recover(low int, until time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.waits = "watching until " + isLeft(low) + ", at most until " + units.Clock(until)
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
		when += " (service " + units.Clock(time.Duration(float64(at)*t.Speedup)) + ")"
	}
	fmt.Fprintf(s.w, "%s %s\n", when, fmt.Sprintf(format, args...))
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
