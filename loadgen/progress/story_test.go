package progress

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/timeline"
)

// history is a service that goes from 2 to 3 tasks and back, as it was told.
func history() []timeline.Fact {
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
	r.Event(timeline.Event{At: 14 * s, Type: "chaos", Detail: "kill-task@14s: task-1 in zone a dies"})
	r.Activity(timeline.Activity{At: 65 * s, From: 3, To: 2, Policy: "requests", Cause: "alarm x-AlarmLow-requests in state ALARM", Status: "Successful"})
	r.Event(timeline.Event{At: 65 * s, Type: timeline.EventDraining, Detail: "task-3 in zone a: scale-in"})
	r.Load(0, 20*s)
	return r.Facts()
}

// storyOf is what is told when the history is heard of at these instants: each time, what had happened by then.
func storyOf(hearings []time.Duration, alter func([]timeline.Fact) []timeline.Fact) string {
	var b strings.Builder
	s := &Story{Say: func(line string) { b.WriteString(line + "\n") }, Recovery: 90 * time.Second}
	heard := time.Duration(-1)
	for _, at := range append(hearings, 70*time.Second) {
		var news []timeline.Fact
		for _, f := range history() {
			happened := f.At()
			if f.Load != nil {
				happened = f.Load.To
			}
			if happened > heard && happened <= at {
				news = append(news, f)
			}
		}
		heard = max(heard, at)
		_ = s.Facts(&result.Facts{Until: at, Facts: alter(news)})
	}
	_ = s.Close()
	return b.String()
}

func asTold(facts []timeline.Fact) []timeline.Fact { return facts }

func everySecond() (all []time.Duration) {
	for at := time.Second; at < 70*time.Second; at += time.Second {
		all = append(all, at, at) // the second time nothing is new
	}
	return all
}

func TestWhatCapacityDoesIsToldOnceAndInOrder(t *testing.T) {
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
	if got := storyOf(everySecond(), asTold); got != want {
		t.Errorf("told is\n%swant\n%s", got, want)
	}
	twice := func(facts []timeline.Fact) []timeline.Fact {
		return append(slices.Clone(facts), history()[:len(facts)]...)
	}
	if got := storyOf(everySecond(), twice); strings.Count(got, "desired 2 → 3") != 1 {
		t.Errorf("told again it is\n%s", got)
	}
}

func TestAServiceInRealTimeHasOneClock(t *testing.T) {
	var b strings.Builder
	s := &Story{Say: func(line string) { b.WriteString(line + "\n") }}
	r := timeline.NewRecorder(1, 2, 3)
	r.Activity(timeline.Activity{At: time.Minute, From: 2, To: 3, Cause: "minimum capacity was set to 3", Status: "Successful"})
	r.Point(timeline.Point{At: time.Minute, Desired: 3, Running: 2, Healthy: 2})
	_ = s.Facts(&result.Facts{Until: 2 * time.Minute, Facts: r.Facts()})
	if got, want := b.String(), "1:00 desired 2 → 3: minimum capacity was set to 3\n"; got != want {
		t.Errorf("told is %q, want %q", got, want)
	}
}

func TestWhatIsToldLateHasItsOwnTime(t *testing.T) {
	var b strings.Builder
	s := &Story{Say: func(line string) { b.WriteString(line + "\n") }}
	r := timeline.NewRecorder(1, 2, 3)
	r.Point(timeline.Point{Desired: 2, Running: 2, Healthy: 2})
	r.Activity(timeline.Activity{At: 8 * time.Second, From: 4, To: 5, Cause: "b", Status: "Successful"})
	_ = s.Facts(&result.Facts{Until: 10 * time.Second, Facts: r.Facts()})
	r.Activity(timeline.Activity{At: 5 * time.Second, From: 2, To: 4, Cause: "a", Status: "Successful"})
	_ = s.Facts(&result.Facts{Until: 12 * time.Second, Facts: r.Facts()})
	if got, want := b.String(), "0:08 desired 4 → 5: b\n0:05 desired 2 → 4: a\n"; got != want {
		t.Errorf("told is %q, want %q", got, want)
	}
}

func TestLinesOfSeveralSourcesAreInOrderOfTime(t *testing.T) {
	var b bytes.Buffer
	tell := newTeller(func(line string) { b.WriteString(line + "\n") }, "one", "two")
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

// However the facts come, the same lines do, each once.
func TestTheStoryDoesNotDependOnWhenItIsHeard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hearings := rapid.SliceOf(rapid.Map(rapid.IntRange(0, 70_000), func(ms int) time.Duration { return time.Duration(ms) * time.Millisecond })).Draw(t, "hearings")
		slices.Sort(hearings)
		lines := func(story string) (all []string) {
			for line := range strings.Lines(story) {
				if !strings.Contains(line, "recovering") { // which says that somebody listened meanwhile
					all = append(all, line)
				}
			}
			return all
		}
		if got, want := lines(storyOf(hearings, asTold)), lines(storyOf(nil, asTold)); !slices.Equal(got, want) {
			t.Errorf("heard at %v it is\n%qwant\n%q", hearings, got, want)
		}
	})
}
