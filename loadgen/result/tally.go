package result

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Tally is what windows add up to, over their endpoints: the one sum for everybody who watches a run. A request
// counts in the window in which it completed. The zero Tally is that of no window.
type Tally struct {
	From, To time.Duration // of the first and the last window
	Length   time.Duration // of all, empty ones included; those of one run follow each other, so that it is To − From

	Users, InFlight int // at the end
	Offered, Sent   int64
	Lag, SlotWait   *Histogram
	EndpointWindow  // of all endpoints; its Endpoint says nothing

	Health     []Health // second by second
	Standstill Standstill
	Clamped    int64

	windows int
}

// Add adds the window that comes next; w stays as it is.
func (t *Tally) Add(w *Window) {
	if t.windows++; t.windows == 1 {
		t.From = w.From
	}
	t.To, t.Length = w.To, t.Length+w.To-w.From
	t.Users, t.InFlight = w.Users, w.InFlight
	t.Offered += w.Offered
	t.Sent += w.Sent
	t.Clamped += w.Clamped
	merge(&t.Lag, w.Lag)
	merge(&t.SlotWait, w.SlotWait)
	t.Health = append(t.Health, w.Health...)
	t.Standstill = t.Standstill.With(w.Standstill)
	for i := range w.Endpoints {
		t.EndpointWindow.add(&w.Endpoints[i])
	}
}

// With is another Tally, of one window more; t stays as it is.
func (t *Tally) With(w *Window) *Tally {
	next := *t
	next.Lag, next.SlotWait, next.EndpointWindow = nil, nil, EndpointWindow{}
	merge(&next.Lag, t.Lag)
	merge(&next.SlotWait, t.SlotWait)
	next.EndpointWindow.add(&t.EndpointWindow)
	next.Health = slices.Clip(t.Health)
	next.Add(w)
	return &next
}

// TallyOf is the sum of windows.
func TallyOf(windows ...*Window) *Tally {
	t := &Tally{}
	for _, w := range windows {
		t.Add(w)
	}
	return t
}

// Empty says that no window was added.
func (t *Tally) Empty() bool { return t.windows == 0 }

// Seconds is the length in seconds.
func (t *Tally) Seconds() float64 { return t.Length.Seconds() }

// PerSecond is a count as a rate; 0 when no time has passed.
func (t *Tally) PerSecond(n int64) float64 { return perSecond(n, t.Seconds()) }

// ErrorShare is the share of completed requests that failed; 0 when none completed.
func (t *Tally) ErrorShare() float64 {
	if t.Requests == 0 {
		return 0
	}
	return float64(t.Failures) / float64(t.Requests)
}

// Frequent are the n messages of failure that were most frequent, the first by name where counts agree.
func (t *Tally) Frequent(n int) []ErrorCount {
	counts := map[string]int64{}
	for _, e := range t.Errors { // of one message there may be several kinds
		counts[e.Message] += e.Count
	}
	var all []ErrorCount
	for _, message := range slices.Sorted(maps.Keys(counts)) {
		all = append(all, ErrorCount{Message: message, Count: counts[message]})
	}
	slices.SortStableFunc(all, func(a, b ErrorCount) int { return cmp.Compare(b.Count, a.Count) })
	return all[:min(n, len(all))]
}

// CPU is the highest reading of a second, and the last; unknown without one.
func (t *Tally) CPU() (highest, last Reading) {
	highest, last = Unknown(), Unknown()
	for _, h := range t.Health {
		if h.CPU.Known() {
			if last = h.CPU; !(highest > h.CPU) {
				highest = h.CPU
			}
		}
	}
	return highest, last
}
