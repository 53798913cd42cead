package report

import (
	"fmt"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// A gap between the same percentile of raw and corrected latency is worth a word when it is both:
// below a millisecond it is a timer's, below a fifth nobody would decide otherwise for it.
const (
	gapMS    = 1.0
	gapRatio = 1.2
)

// gap says that corrected latency is far above raw, and why. It looks at p99 first, where waiting
// shows, and is empty when there is nothing to say.
func gap(r *result.Result) string {
	raw, corrected := &r.Totals.Latency.Raw, &r.Totals.Latency.Corrected
	if raw.Count == 0 || corrected.Count == 0 {
		return ""
	}
	for _, q := range []struct {
		name      string
		raw, corr float64
	}{
		{"p99", raw.P99, corrected.P99},
		{"p95", raw.P95, corrected.P95},
		{"p50", raw.P50, corrected.P50},
		{"p99.9", raw.P999, corrected.P999},
	} {
		if q.corr-q.raw < gapMS || q.corr < q.raw*gapRatio {
			continue
		}
		return fmt.Sprintf("corrected %s is %s, raw %s: requests waited before they were sent, because %s.",
			q.name, units.Milliseconds(q.corr), units.Milliseconds(q.raw), cause(r, q.corr-q.raw))
	}
	return ""
}

// cause names what made requests wait for ms. Corrected latency is raw latency, plus the wait for a
// slot, plus, with pacing, the backlog of a user whose answer came late.
func cause(r *result.Result, ms float64) string {
	slot := &r.Health.WaitedForSlot
	switch {
	// What stays below half of the gap did not make it, at its own p99, or where a few made it at the most.
	case r.Plan.Model == plan.Open && max(slot.P99, slot.Max) >= ms/2:
		return fmt.Sprintf("%s waited for a slot at --max-in-flight %s (p99 %s): the target was slower than the load",
			plural(slot.Count, "send"), units.Count(int64(r.Plan.MaxInFlight)), units.Milliseconds(slot.P99))
	case r.Plan.Model == plan.Closed && r.Plan.Pacing > 0:
		return fmt.Sprintf("answers took longer than --pacing %s, and each late one delays the user's next", r.Plan.Pacing)
	default:
		return "their user or slot was not free when they were due"
	}
}
