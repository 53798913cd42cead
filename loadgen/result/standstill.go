package result

import "time"

// Standstill is the time in which a generator stood still, and what its clocks did: what the watchdog
// of package validity found. A freeze is the lateness of one of its ticks, a jump a difference of the
// wall clock to the monotonic one. Times are whole microseconds.
type Standstill struct {
	Freezes int64         // those that ended in it
	Longest time.Duration // of these
	Frozen  time.Duration // the part of any freeze that lies in it

	Jumps  int64
	Jumped time.Duration // the largest; negative: the wall clock went back
}

// With is what two stretches of a run, or two generators, add up to.
func (s Standstill) With(other Standstill) Standstill {
	s.Freezes += other.Freezes
	s.Longest = max(s.Longest, other.Longest)
	s.Frozen += other.Frozen
	s.Jumps += other.Jumps
	if by := other.Jumped; by.Abs() > s.Jumped.Abs() || by.Abs() == s.Jumped.Abs() && by > s.Jumped {
		s.Jumped = by
	}
	return s
}

// FreezeSummary is how often and for how long a generator stood still, in milliseconds. Of a merged
// result it is all generators' together.
type FreezeSummary struct {
	Count   int64   `json:"count"`
	Longest float64 `json:"longest_ms"`
	Total   float64 `json:"total_ms"`
}

// JumpSummary is how often the wall clock jumped against the monotonic one, and the largest jump.
type JumpSummary struct {
	Count   int64   `json:"count"`
	Largest float64 `json:"largest_ms"` // negative: it went back
}

// Summary is a Standstill as result.json holds it.
func (s Standstill) Summary() (FreezeSummary, JumpSummary) {
	return FreezeSummary{s.Freezes, milliseconds(s.Longest), milliseconds(s.Frozen)}, JumpSummary{s.Jumps, milliseconds(s.Jumped)}
}
