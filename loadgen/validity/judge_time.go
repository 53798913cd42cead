package validity

import (
	"fmt"
	"time"

	"scalableappbackend/loadgen/result"
)

// judgeLag finds the worst that can be said of the generator's lateness: by the fixed limits of the
// whole run, or weighed against what was measured, for the run and for each phase with enough sends.
// Of findings that are equally bad it gives the first.
func judgeLag(e Evidence) result.Reason {
	worst := fixedLag(e.Lag)
	for _, p := range append([]result.PhaseLag{{Lag: e.Lag, Corrected: e.Corrected}}, e.Phases...) {
		if p.Name != "" && p.Lag.Count() < LagSends {
			continue // judged with the run
		}
		for _, rule := range []struct {
			name  string
			q     float64
			least time.Duration
		}{{"p50", 0.50, LagMedianLeast}, {"p99", 0.99, LagTailLeast}} {
			if r := weighLag(p, rule.name, rule.q, rule.least); r.Code != "" && (worst.Code == "" || severity(r.Level) > severity(worst.Level)) {
				worst = r
			}
		}
	}
	return worst
}

func fixedLag(lag *result.Histogram) result.Reason {
	p99 := figure(milliseconds(lag.Quantile(0.99)))
	level, limit := result.Valid, time.Duration(0)
	switch {
	case p99 > milliseconds(LagInvalid):
		level, limit = result.Invalid, LagInvalid
	case p99 > milliseconds(LagSuspect):
		level, limit = result.Suspect, LagSuspect
	default:
		return none()
	}
	return found(CodeLag, level, "p99 of the generator's own lag was %s ms (limit %s ms): %s",
		number(p99), number(milliseconds(limit)), moreRoom)
}

// weighLag compares a percentile of lag with the same one of corrected latency.
func weighLag(p result.PhaseLag, name string, q float64, least time.Duration) result.Reason {
	lag, corrected := figure(milliseconds(p.Lag.Quantile(q))), figure(milliseconds(p.Corrected.Quantile(q)))
	suspect := max(milliseconds(least), LagShare*corrected)
	level, limit := result.Suspect, suspect
	switch {
	case lag > figure(LagTimes*suspect):
		level, limit = result.Invalid, LagTimes*suspect
	case lag > figure(suspect):
	default:
		return none()
	}
	in := ""
	if p.Name != "" {
		in = fmt.Sprintf(" in %s (%s to %s)", p.Name, span(p.From), span(p.To))
	}
	return found(CodeLag, level, "%s of the generator's own lag%s was %s ms (limit %s ms), where %s of corrected latency was %s ms: %s",
		name, in, number(lag), number(limit), name, number(corrected), moreRoom)
}

const letRun = "see what stops, starves or throttles it, give it more CPU, or share the load among more generators"

func judgeFreezes(e Evidence) result.Reason {
	s := e.Standstill
	if s.Frozen <= 0 {
		return none()
	}
	// Without a load there is nothing to take a share of.
	share := 1.0
	if e.Load > 0 {
		share = min(s.Frozen.Seconds()/e.Load.Seconds(), 1)
	}
	tell := func(level result.Validity, limit string) result.Reason {
		times := fmt.Sprintf("%d times", s.Freezes)
		if s.Freezes == 1 {
			times = "once"
		}
		return found(CodeFreezes, level, "the generator stood still %s, for %s in all, %s of the load, at longest %s (limit %s): %s",
			times, span(s.Frozen), percent(share), span(s.Longest), limit, letRun)
	}
	switch {
	case figure(share) > FrozenInvalid && s.Frozen >= FrozenLeast:
		return tell(result.Invalid, percent(FrozenInvalid))
	case figure(share) > FrozenSuspect:
		return tell(result.Suspect, percent(FrozenSuspect))
	case s.Longest >= FreezeLong:
		return tell(result.Suspect, span(FreezeLong)+" at a time")
	}
	return none()
}

func judgeClock(s result.Standstill) result.Reason {
	if s.Jumps == 0 {
		return none()
	}
	times := ""
	if s.Jumps > 1 {
		times = fmt.Sprintf(" (the largest of %d jumps)", s.Jumps)
	}
	return found(CodeClock, result.Suspect, "%s%s (limit %s): times of day in the result are off, and what ran elsewhere went on meanwhile",
		describeJump(s.Jumped), times, span(JumpLeast))
}
