package progress

import (
	"fmt"
	"strings"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// The sources of lines.
const (
	fromWindows  = "windows"
	fromCapacity = "capacity"
)

// Story is a result.Sink that tells what capacity does while it does it, a line each, once:
//
//	0:09 (simulated 3:00) desired 2 → 6: requests-AlarmHigh
//	0:11 (simulated 3:44) 6 tasks healthy
//
// What happened a moment before the facts were told is there and does not change any more; what happened at that moment may have
// company yet, and waits for the next facts. What is told late is a line at once, with the time at which it happened.
type Story struct {
	result.NopSink
	// Say takes a line. It is not needed among [Lines], which write it.
	Say func(line string)
	// Recovery is how long capacity is watched at most after the load, on the run's clock.
	Recovery time.Duration
	// Late is how late capacity may be told of: what happened is a line only after it, with what was told meanwhile.
	Late time.Duration
	// Stopped says whether everything is to end, so that no recovery follows; nil: it never is.
	Stopped func() bool

	teller *teller
	ledger timeline.Ledger
	told   map[string]bool // activities, by identity

	past       time.Duration  // until when capacity was looked at
	before     timeline.Point // the capacity then
	began      bool
	moving     bool          // capacity is not what is desired
	said       time.Duration // when the last line was
	ended      bool          // the load; it was told, where it was to be
	recovering bool
}

// recoveryLine is how often a recovery in which nothing happens says that it goes on.
const recoveryLine = 10 * time.Second

// settled is how long what happened may take until it is told.
const settled = 50 * time.Millisecond

// Facts tells what is new.
func (s *Story) Facts(f *result.Facts) error {
	news := s.ledger.Tell(f.Facts...)
	s.ledger.Seen(f.Until)
	s.tell(news, f.Until-max(settled, s.Late), false)
	return nil
}

// Close tells what is left.
func (s *Story) Close() error {
	s.tell(nil, s.ledger.Known(), true)
	return nil
}

// tell tells news, and what capacity came to until sure. last is that there is nothing after it.
func (s *Story) tell(news []timeline.Fact, sure time.Duration, last bool) {
	if s.teller == nil {
		s.teller = newTeller(s.Say, fromCapacity)
	}
	if s.told == nil {
		s.told = map[string]bool{}
	}
	t := s.ledger.Timeline(s.ledger.Known())
	if t == nil {
		t = &timeline.Timeline{Speedup: 1}
	}
	for i := range news {
		f := &news[i]
		switch {
		case f.Gone:
		case f.Activity != nil:
			a := f.Activity
			if s.told[f.ID] {
				continue
			}
			s.told[f.ID] = true
			if a.Status == timeline.NotScaled {
				s.line(t, a.At, "not scaled: %s (%s)", strings.Join(a.NotScaledReasons, ", "), alarm(a))
				continue
			}
			s.line(t, a.At, "desired %d → %d: %s", a.From, a.To, alarm(a))
		case f.Event != nil && f.Event.Type != timeline.EventDraining: // which follows from the line above
			s.line(t, f.Event.At, "%s: %s", f.Event.Type, f.Event.Detail)
		case f.Load != nil && f.Load.Ended && f.Load.To > 0 && !s.ended:
			s.ended = true
			if s.Stopped == nil || !s.Stopped() {
				low, _ := t.BoundsAt(t.End)
				s.line(t, f.Load.To, "load ended: watching until %s, at most until %s", isLeft(low), units.Clock(f.Load.To+s.Recovery))
				s.recovering = true
			}
		}
	}
	for _, p := range t.Points {
		if p.At > sure || s.began && p.At <= s.past {
			continue
		}
		rests := p.Running == p.Desired && p.Healthy == p.Desired && p.Draining == 0
		if s.moving && rests {
			s.line(t, p.At, "%s healthy", tasks(p.Healthy))
		}
		s.moving, s.before, s.past, s.began = !rests, p, p.At, true
	}
	if at := s.said + recoveryLine; s.recovering && !last && sure >= at {
		s.line(t, at, "recovering: %s healthy", tasks(s.before.Healthy))
	}
	s.past = max(s.past, sure)
	if last {
		sure = allTold
	}
	s.teller.until(fromCapacity, sure)
}

func isLeft(n int) string {
	if n == 1 {
		return "1 task is left"
	}
	return tasks(n) + " are left"
}

func tasks(n int) string {
	if n == 1 {
		return "1 task"
	}
	return units.Count(int64(n)) + " tasks"
}

func (s *Story) line(t *timeline.Timeline, at time.Duration, format string, args ...any) {
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
