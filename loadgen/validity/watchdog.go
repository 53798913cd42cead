package validity

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"scalableappbackend/loadgen/result"
)

// The numbers of the watchdog. The package's doc says why they are these.
const (
	// FreezeLeast is the lateness of a tick from which it is a freeze; JumpLeast is how far the wall
	// clock moves against the monotonic one from tick to tick in a jump.
	FreezeLeast = 10 * time.Millisecond
	JumpLeast   = 10 * time.Millisecond
	// FreezeEvent is the length of a freeze from which it is an event of the run.
	FreezeEvent = 100 * time.Millisecond

	TickFast = 5 * time.Millisecond
	TickSlow = 20 * time.Millisecond // where less than a CPU or so may be used
	SlowCPUs = 0.5                   // CPUs, at most, with TickSlow

	// TickCost is the CPU time that a tick is taken to cost, TickShare the share of the CPU limit
	// that all ticks may cost.
	TickCost  = 15 * time.Microsecond
	TickShare = 0.005
)

// TickEvery is the time between two ticks of the watchdog, for a process that may use so many CPUs:
// at a small limit longer, so that watching costs no more than TickShare of it.
func TickEvery(cpus result.Reading) time.Duration {
	every := TickFast
	if cpus <= SlowCPUs {
		every = TickSlow
	}
	if cpus > 0 {
		every = max(every, time.Duration(math.Ceil(TickCost.Seconds()/(TickShare*float64(cpus))*1e9)))
	}
	return every
}

// Watchdog ticks beside the load, whatever is in flight, and so finds a generator that stood still
// when nothing was to be sent: one that was stopped, starved, throttled or suspended.
//
// It measures what the load's own goroutines meet: the time until one that is due runs. A stop that
// begins between two ticks is seen from the second one on, so that up to TickEvery of it is missed.
type Watchdog struct {
	every time.Duration
	clock func() instant

	mu      sync.Mutex
	last    instant
	due     time.Duration // of the next tick
	freezes []freeze      // not yet told, or not all of them
	jumps   result.Standstill
	events  []result.Event

	stop, stopped chan struct{}
}

// instant is one look at both clocks, each since the run began.
type instant struct{ monotonic, wall time.Duration }

// rounded has whole microseconds, as files have them, so that sums of both are the same.
func (i instant) rounded() instant {
	return instant{i.monotonic.Truncate(time.Microsecond), i.wall.Truncate(time.Microsecond)}
}

type freeze struct{ from, to, length time.Duration }

// Watch begins to watch the process. The run's clock reads 0 at began, which must hold a reading of
// the monotonic clock, as time.Now gives it. Close ends it.
func Watch(limits Limits, began time.Time) *Watchdog {
	w := newWatchdog(TickEvery(limits.CPUs), func() instant {
		now := time.Now()
		return instant{now.Sub(began), now.Round(0).Sub(began.Round(0))}
	})
	go w.run()
	return w
}

func newWatchdog(every time.Duration, clock func() instant) *Watchdog {
	w := &Watchdog{every: every, clock: clock, stop: make(chan struct{}), stopped: make(chan struct{})}
	w.last = clock().rounded()
	w.due = w.last.monotonic + every
	return w
}

func (w *Watchdog) run() {
	defer close(w.stopped)
	timer := time.NewTimer(w.every)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			w.tick()
			timer.Reset(w.every)
		case <-w.stop:
			return
		}
	}
}

// Close ends the watching. What Until has not told yet it still tells.
func (w *Watchdog) Close() {
	close(w.stop)
	<-w.stopped
}

func (w *Watchdog) tick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look()
}

// look is one tick, at whatever time it comes.
func (w *Watchdog) look() {
	now := w.clock().rounded()
	jump := now.against(w.last)
	if jump.Abs() >= JumpLeast {
		// A process that is held up between its readings of the two clocks sees a jump that a second look does not.
		now = w.clock().rounded()
		jump = now.against(w.last)
	}
	if late := now.monotonic - w.due; late >= FreezeLeast {
		w.freezes = append(w.freezes, freeze{w.due, now.monotonic, late})
		if late >= FreezeEvent {
			w.event(w.due, result.EventFreeze, fmt.Sprintf("the generator stood still for %s", span(late)))
		}
	}
	if jump.Abs() >= JumpLeast {
		w.jumps = w.jumps.With(result.Standstill{Jumps: 1, Jumped: jump})
		w.event(now.monotonic, result.EventClock, describeJump(jump))
	}
	w.last, w.due = now, now.monotonic+w.every
}

// against is how far the wall clock has moved against the monotonic one since an earlier instant. A
// clock that is being slewed moves by up to 0.1 % of the time between (adjtimex allows 0.05 %).
func (i instant) against(earlier instant) time.Duration {
	slewed := (i.monotonic - earlier.monotonic) / 1000
	jump := (i.wall - earlier.wall) - (i.monotonic - earlier.monotonic)
	if jump.Abs() <= slewed {
		return 0
	}
	return jump
}

func (w *Watchdog) event(at time.Duration, kind, detail string) {
	w.events = append(w.events, result.Event{At: at, Type: kind, Detail: detail})
}

// Until tells what happened up to t on the run's clock that was not told before. Of a freeze that
// goes on after t it tells the part before. It looks at the clock itself, because after a stop of
// the whole process the caller may run before the watchdog does.
func (w *Watchdog) Until(t time.Duration) (result.Standstill, []result.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look()
	told, events := w.jumps, w.events
	w.jumps, w.events = result.Standstill{}, nil
	rest := w.freezes[:0]
	for _, f := range w.freezes {
		told.Frozen += max(0, min(f.to, t)-f.from)
		if f.to > t {
			f.from = max(f.from, t)
			rest = append(rest, f)
			continue
		}
		told.Freezes++
		told.Longest = max(told.Longest, f.length)
	}
	w.freezes = rest
	slices.SortStableFunc(events, func(a, b result.Event) int { return cmp.Compare(a.At, b.At) })
	return told, events
}

func describeJump(by time.Duration) string {
	if by < 0 {
		return fmt.Sprintf("the wall clock went back by %s: it was set", span(by.Abs()))
	}
	return fmt.Sprintf("the wall clock went %s further than the monotonic one: the machine was suspended, or the clock was set", span(by))
}

// span is a length of time as reasons show it: 14.2 ms, 2.01 s.
func span(d time.Duration) string {
	if d < time.Second {
		return number(milliseconds(d)) + " ms"
	}
	return number(d.Seconds()) + " s"
}
