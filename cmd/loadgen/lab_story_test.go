package main

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/lab"
	"scalableappbackend/loadgen/timeline"
)

// toldUntil is a service that goes from 2 to 3 tasks and back, as far as it has come at an instant.
func toldUntil(end time.Duration) *timeline.Timeline {
	const s = time.Second
	r := timeline.NewRecorder(20, 2, 3)
	for _, p := range []timeline.Point{
		{Desired: 2, Running: 2, Healthy: 2},
		{At: 9 * s, Desired: 3, Running: 2, Healthy: 2},
		{At: 10 * s, Desired: 3, Running: 3, Healthy: 2},
		{At: 11 * s, Desired: 3, Running: 3, Healthy: 3},
		{At: 65 * s, Desired: 2, Running: 2, Healthy: 2, Draining: 1},
		{At: 67 * s, Desired: 2, Running: 2, Healthy: 2},
	} {
		r.Point(p)
	}
	r.Activity(timeline.Activity{At: 9 * s, From: 2, To: 3, Policy: "requests", Cause: "alarm x-AlarmHigh-requests in state ALARM", Status: "Successful"})
	r.Activity(timeline.Activity{At: 12 * s, From: 3, To: 3, Policy: "cpu", Cause: "alarm x-AlarmHigh-cpu in state ALARM", Status: timeline.NotScaled,
		NotScaledReasons: []string{"AlreadyAtMaxCapacity"}})
	r.Event(timeline.Event{At: 14 * s, Type: lab.EventChaos, Detail: "kill-task@14s: task-1 in zone a dies"})
	r.Activity(timeline.Activity{At: 65 * s, From: 3, To: 2, Policy: "requests", Cause: "alarm x-AlarmLow-requests in state ALARM", Status: "Successful"})
	r.Event(timeline.Event{At: 65 * s, Type: lab.EventDraining, Detail: "task-3 in zone a: scale-in"})
	r.Load(0, min(end, 20*s))
	return r.Timeline(end)
}

func TestWhatCapacityDoesIsToldOnceAndInOrder(t *testing.T) {
	var b bytes.Buffer
	s := &story{teller: newTeller(&b, fromCapacity)}
	for at := time.Second; at <= 70*time.Second; at += time.Second {
		if at == 21*time.Second {
			s.recover(2, 110*time.Second)
		}
		s.look(toldUntil(at), false)
		s.look(toldUntil(at), at == 70*time.Second) // nothing is new
	}
	want := `0:09 (simulated 3:00) desired 2 → 3: requests-AlarmHigh
0:11 (simulated 3:40) 3 tasks healthy
0:12 (simulated 4:00) not scaled: AlreadyAtMaxCapacity (cpu-AlarmHigh)
0:14 (simulated 4:40) chaos: kill-task@14s: task-1 in zone a dies
0:20 (simulated 6:40) load ended: watching until 2 tasks are left, at most until 1:50
0:30 (simulated 10:00) recovering: 3 tasks healthy
0:40 (simulated 13:20) recovering: 3 tasks healthy
0:50 (simulated 16:40) recovering: 3 tasks healthy
1:00 (simulated 20:00) recovering: 3 tasks healthy
1:05 (simulated 21:40) desired 3 → 2: requests-AlarmLow
1:07 (simulated 22:20) 2 tasks healthy
`
	if got := b.String(); got != want {
		t.Errorf("told is\n%swant\n%s", got, want)
	}
}

func TestAServiceInRealTimeHasOneClock(t *testing.T) {
	var b bytes.Buffer
	s := &story{teller: newTeller(&b, fromCapacity)}
	r := timeline.NewRecorder(1, 2, 3)
	r.Activity(timeline.Activity{At: time.Minute, From: 2, To: 3, Cause: "minimum capacity was set to 3"})
	r.Point(timeline.Point{At: time.Minute, Desired: 3, Running: 2, Healthy: 2})
	s.look(r.Timeline(2*time.Minute), false)
	if got, want := b.String(), "1:00 desired 2 → 3: minimum capacity was set to 3\n"; got != want {
		t.Errorf("told is %q, want %q", got, want)
	}
}

func TestLinesOfSeveralSourcesAreInOrderOfTime(t *testing.T) {
	var b bytes.Buffer
	tell := newTeller(&b, "one", "two")
	tell.tell(3*time.Second, "three")
	tell.tell(1*time.Second, "one")
	tell.until("one", 4*time.Second)
	if b.Len() > 0 {
		t.Errorf("%q is written while the other source may know of something earlier", b.String())
	}
	tell.tell(2*time.Second, "two")
	tell.until("two", 2*time.Second)
	if got := b.String(); got != "one\ntwo\n" {
		t.Errorf("%q, want what is known to be first", got)
	}
	tell.tell(5*time.Second, "five")
	tell.until("two", allTold)
	tell.until("one", allTold)
	if got := b.String(); got != "one\ntwo\nthree\nfive\n" {
		t.Errorf("%q, want all", got)
	}
}

// However a timeline is looked at while it grows, the same lines come, each once.
func TestTheStoryDoesNotDependOnWhenItIsLookedAt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := func(looks []time.Duration) string {
			var b bytes.Buffer
			s := &story{teller: newTeller(&b, fromCapacity)}
			for _, at := range looks {
				s.look(toldUntil(at), false)
			}
			s.look(toldUntil(70*time.Second), true)
			return b.String()
		}
		looks := rapid.SliceOf(rapid.Map(rapid.IntRange(0, 70_000), func(ms int) time.Duration { return time.Duration(ms) * time.Millisecond })).Draw(t, "looks")
		slices.Sort(looks)
		if got, want := whole(looks), whole(nil); got != want {
			t.Errorf("looked at at %v it is\n%swant\n%s", looks, got, want)
		}
	})
}
