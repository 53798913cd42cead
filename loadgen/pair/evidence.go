package pair

import (
	"slices"

	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/validity"
)

// evidence is what all starts say of the generator: one load is judged once, not each start by itself. Phases are left
// out, because the blocks are too short to be judged one by one.
type evidence struct{ sum validity.Evidence }

// collect takes a start's evidence, in the place of its judge.
func (x *evidence) collect(e validity.Evidence) (result.Validity, []result.Reason) {
	s := &x.sum
	s.Limits, s.Closed = e.Limits, e.Closed
	s.Duration += e.Duration
	s.Load += e.Load
	s.Seconds = append(s.Seconds, e.Seconds...)
	s.Lag, s.SlotWait, s.Corrected = result.Sum(s.Lag, e.Lag), result.Sum(s.SlotWait, e.SlotWait), result.Sum(s.Corrected, e.Corrected)
	s.Standstill = s.Standstill.With(e.Standstill)
	s.Offered, s.Sent, s.OwnDrops = s.Offered+e.Offered, s.Sent+e.Sent, s.OwnDrops+e.OwnDrops
	s.DescriptorFailures, s.PortFailures = s.DescriptorFailures+e.DescriptorFailures, s.PortFailures+e.PortFailures
	for _, w := range e.Warnings {
		if !slices.Contains(s.Warnings, w) {
			s.Warnings = append(s.Warnings, w)
		}
	}
	return result.Valid, []result.Reason{}
}
