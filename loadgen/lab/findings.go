package lab

import (
	"fmt"
	"math"
	"strings"
	"time"

	"scalableappbackend/internal/units"
	"scalableappbackend/loadgen/result"
)

// Findings are that no program has crashed, where the replicas are programs, and what the lab warns of: see loadgen.Capacity.
func (l *Lab) Findings(answer time.Duration) (judged []result.Expectation, warnings []string) {
	warnings = l.Warnings()
	if text := shortPeriods(answer, l.cfg.Scaling.Period, l.cfg.Speedup); text != "" {
		warnings = append(warnings, text)
	}
	if l.cfg.ReplicaCommand == "" {
		return nil, warnings
	}
	n, seen := 0, []string{}
	for _, c := range l.Crashes() {
		n += c.Count
		seen = append(seen, c.String())
	}
	detail := "no program ended by itself"
	if n > 0 {
		detail = strings.Join(seen, "; ")
	}
	if n > 0 && l.cfg.KeptIn != "" {
		detail += "; what they wrote is in " + l.cfg.KeptIn + " of the result"
	}
	return []result.Expectation{{Expression: "crashes==0", Value: result.Reading(n), Passed: n == 0, Detail: detail}}, warnings
}

// shortPeriods is a warning when an answer takes so large a part of a compressed period that what is counted in one belongs
// to another: 0 is no speedup at which that would not be so.
func shortPeriods(mean, period time.Duration, speedup float64) (warning string) {
	const share = 10
	if speedup <= 1 || mean*share <= time.Duration(float64(period)/speedup) {
		return ""
	}
	advice := "no compressed clock is slow enough for that: --speedup 1"
	if most := math.Floor(float64(period) / share / float64(mean)); most > 1 {
		advice = "--speedup " + units.Decimal(most) + " or less is slow enough"
	}
	return fmt.Sprintf("the mean answer took %s, more than a tenth of a compressed period of %s: metrics and drains are blurred by requests that outlast them; %s",
		units.Latency(mean), units.Duration(time.Duration(float64(period)/speedup)), advice)
}
