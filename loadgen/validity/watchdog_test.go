package validity

import (
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/result"
)

const ms = time.Millisecond

// hands is a clock whose two readings a test moves.
type hands struct{ instant }

func (h *hands) read() instant { return h.instant }

// pass lets time pass on both readings.
func (h *hands) pass(d time.Duration) { h.monotonic += d; h.wall += d }

func TestAFreezeIsALateTick(t *testing.T) {
	const ever = time.Duration(math.MaxInt64)
	for _, c := range []struct {
		why    string
		passes []time.Duration // between ticks that are due every 5 ms
		want   result.Standstill
		events []string
	}{
		{why: "ticks on time", passes: []time.Duration{5 * ms, 5 * ms, 5 * ms}},
		{why: "late by less than 10 ms", passes: []time.Duration{5 * ms, 14_999 * time.Microsecond, 5 * ms}},
		{why: "late by 10 ms", passes: []time.Duration{5 * ms, 15 * ms, 5 * ms},
			want: result.Standstill{Freezes: 1, Longest: 10 * ms, Frozen: 10 * ms}},
		{why: "late ticks that are no freezes do not add up to one", passes: []time.Duration{14 * ms, 14 * ms, 14 * ms}},
		{why: "two freezes", passes: []time.Duration{25 * ms, 5 * ms, 55 * ms},
			want: result.Standstill{Freezes: 2, Longest: 50 * ms, Frozen: 70 * ms}},
		{why: "just too short for an event", passes: []time.Duration{104 * ms},
			want: result.Standstill{Freezes: 1, Longest: 99 * ms, Frozen: 99 * ms}},
		{why: "long enough for an event", passes: []time.Duration{105 * ms},
			want: result.Standstill{Freezes: 1, Longest: 100 * ms, Frozen: 100 * ms}, events: []string{"the generator stood still for 100 ms"}},
		{why: "a stop of 2 s", passes: []time.Duration{5 * ms, 2005 * ms, 5 * ms},
			want: result.Standstill{Freezes: 1, Longest: 2 * time.Second, Frozen: 2 * time.Second}, events: []string{"the generator stood still for 2 s"}},
	} {
		clock := &hands{}
		w := newWatchdog(5*ms, clock.read)
		for _, d := range c.passes {
			clock.pass(d)
			w.tick()
		}
		got, told := w.Until(ever)
		var events []string
		for _, e := range told {
			if e.Type != result.EventFreeze {
				t.Errorf("%s: event %+v", c.why, e)
			}
			events = append(events, e.Detail)
		}
		if strings.Join(events, "\n") != strings.Join(c.events, "\n") {
			t.Errorf("%s: events %q, want %q", c.why, events, c.events)
		}
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", c.why, got, c.want)
		}
		if again, told := w.Until(ever); again != (result.Standstill{}) || len(told) > 0 {
			t.Errorf("%s: told twice: %+v, %v", c.why, again, told)
		}
	}
}

// After a stop of the whole process the goroutine that collects windows may run before the watchdog's.
func TestAFreezeIsInTheWindowsThatItLiesInWhoeverLooksFirst(t *testing.T) {
	for _, watchdogFirst := range []bool{true, false} {
		clock := &hands{}
		w := newWatchdog(5*ms, clock.read)
		clock.pass(800*ms - 5*ms)
		w.look() // a long time on purpose: the first freeze is from 5 ms to 795 ms
		clock.pass(2205 * ms)
		if watchdogFirst {
			w.tick()
		}
		var told []result.Standstill
		for _, until := range []time.Duration{time.Second, 2 * time.Second, 3 * time.Second, time.Hour} {
			found, _ := w.Until(until)
			told = append(told, found)
		}
		first, second, third, rest := told[0], told[1], told[2], told[3]
		// From 800 ms, when the second tick was due, to 3,000 ms.
		for i, c := range []struct {
			got     result.Standstill
			frozen  time.Duration
			freezes int64
		}{{first, 790*ms + 200*ms, 1}, {second, time.Second, 0}, {third, time.Second, 1}, {rest, 0, 0}} {
			if c.got.Frozen != c.frozen || c.got.Freezes != c.freezes {
				t.Errorf("watchdog first %v: window %d has %v of %d freezes, want %v of %d", watchdogFirst, i, c.got.Frozen, c.got.Freezes, c.frozen, c.freezes)
			}
		}
		if third.Longest != 2200*ms {
			t.Errorf("the second freeze is %v long", third.Longest)
		}
	}
}

func TestWhateverIsAskedForWhenNothingOfAFreezeIsLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		clock := &hands{}
		w := newWatchdog(5*ms, clock.read)
		var told, want result.Standstill
		add := func(s result.Standstill, _ []result.Event) { told = told.With(s) }
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			passes := time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * ms
			clock.pass(passes)
			if late := passes - 5*ms; late >= FreezeLeast {
				want.Frozen += late
				want.Freezes++
				want.Longest = max(want.Longest, late)
			}
			if rapid.Bool().Draw(t, "collected") {
				back := time.Duration(rapid.IntRange(0, 2000).Draw(t, "behind")) * ms
				add(w.Until(clock.monotonic - back))
			} else {
				w.tick()
			}
		}
		add(w.Until(math.MaxInt64))
		if told != want {
			t.Fatalf("told %+v, happened %+v", told, want)
		}
	})
}

func TestAJumpIsWhatTheTwoClocksDoNotShare(t *testing.T) {
	for _, c := range []struct {
		why    string
		pass   time.Duration // on both
		wall   time.Duration // on the wall clock besides
		jumps  int64
		detail string
	}{
		{why: "both go on alike", pass: 5 * ms},
		{why: "a freeze is no jump", pass: 3 * time.Second},
		{why: "less than 10 ms", pass: 5 * ms, wall: 9 * ms},
		{why: "a suspended machine, whose monotonic clock stopped", pass: 5 * ms, wall: 42 * time.Second, jumps: 1,
			detail: "the wall clock went 42 s further than the monotonic one: the machine was suspended, or the clock was set"},
		{why: "the clock was set back", pass: 5 * ms, wall: -10 * ms, jumps: 1, detail: "the wall clock went back by 10 ms: it was set"},
		{why: "a clock that is slewed by 500 ppm, over a freeze of a minute", pass: time.Minute, wall: 30 * ms},
	} {
		clock := &hands{}
		w := newWatchdog(5*ms, clock.read)
		clock.pass(c.pass)
		clock.wall += c.wall
		w.tick()
		got, events := w.Until(math.MaxInt64)
		if got.Jumps != c.jumps || c.jumps > 0 && got.Jumped != c.wall {
			t.Errorf("%s: %d jumps, %v", c.why, got.Jumps, got.Jumped)
		}
		if c.jumps > 0 && (len(events) != 1 || events[0].Type != result.EventClock || events[0].Detail != c.detail) {
			t.Errorf("%s: events %+v", c.why, events)
		}
	}
}

func TestAProcessHeldUpBetweenItsTwoReadingsSeesNoJump(t *testing.T) {
	looks := []instant{{0, 0}, {5 * ms, 305 * ms}, {306 * ms, 306 * ms}, {311 * ms, 311 * ms}}
	w := newWatchdog(5*ms, func() instant {
		now := looks[0]
		looks = looks[1:]
		return now
	})
	w.tick()
	if got, _ := w.Until(math.MaxInt64); got.Jumps != 0 || got.Freezes != 1 || got.Frozen != 301*ms {
		t.Errorf("%+v, want a freeze of 301 ms and no jump", got)
	}
}

// The share is held by counting: each tick is taken to cost TickCost.
func TestTicksCostNoMoreThanTheirShareOfTheLimit(t *testing.T) {
	for _, c := range []struct {
		cpus  result.Reading
		every time.Duration
	}{
		{unknown, 5 * ms}, {64, 5 * ms}, {2, 5 * ms}, {1, 5 * ms}, {0.6, 5 * ms}, {0.51, 5882353}, {0.5, 20 * ms}, {0.25, 20 * ms}, {0.1, 30 * ms}, {0.05, 60 * ms},
	} {
		if got := TickEvery(c.cpus); got != c.every {
			t.Errorf("%v CPUs: a tick every %v, want %v", c.cpus, got, c.every)
		}
		const watched = 10 * time.Second
		ticks := 0
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			w := newWatchdog(TickEvery(c.cpus), func() instant {
				ticks++
				return instant{time.Since(began), time.Since(began)}
			})
			go w.run()
			time.Sleep(watched)
			w.Close()
		})
		if ticks < int(watched/c.every)-1 {
			t.Errorf("%v CPUs: %d ticks in %v", c.cpus, ticks, watched)
		}
		share := float64(ticks-1) * TickCost.Seconds() / watched.Seconds() / float64(c.cpus)
		if c.cpus.Known() && share > TickShare*1.001 { // the first look is made at the start, and is none
			t.Errorf("%v CPUs: ticks cost %.2f %% of them, want at most %v %%", c.cpus, share*100, TickShare*100)
		}
	}
}

// Virtual time passes only while everybody waits, so that nothing is ever late in it.
func TestAWatchdogInVirtualTimeSeesNothingOfTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := Watch(Limits{CPUs: 1}, time.Now())
		time.Sleep(time.Minute)
		burn := time.Now()
		for i := range 30_000_000 {
			_ = i * i
		}
		w.Close()
		if got, _ := w.Until(math.MaxInt64); got.Freezes+got.Jumps != 0 || time.Since(burn) != 0 {
			t.Errorf("%+v", got)
		}
	})
}

func BenchmarkTick(b *testing.B) {
	w := Watch(Limits{}, time.Now())
	defer w.Close()
	for b.Loop() {
		w.tick()
	}
}
