package validity

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"scalableappbackend/loadgen/result"
)

// shares are a probe's readings: often on a rule's edge, sometimes unknown.
func shares() *rapid.Generator[result.Reading] {
	return rapid.OneOf(
		rapid.SampledFrom([]result.Reading{0, 0.005, 0.01, 0.011, 0.05, 0.051, 0.5, 0.79, 0.8, 0.94, 0.95, 1}),
		rapid.Map(rapid.IntRange(0, 1000), func(n int) result.Reading { return result.Reading(n) / 1000 }),
		rapid.Just(unknown),
	)
}

func anyEvidence(t *rapid.T) Evidence {
	e := Evidence{
		Limits:             Limits{CPUs: 1, Source: SourceHost, Files: 1000, EphemeralPorts: 100},
		Lag:                &result.Histogram{},
		SlotWait:           &result.Histogram{},
		DescriptorFailures: rapid.Int64Range(0, 1).Draw(t, "descriptor failures"),
		PortFailures:       rapid.Int64Range(0, 1).Draw(t, "port failures"),
	}
	// Runs of like seconds, because the rules are about such.
	for _, stretch := range rapid.SliceOfN(rapid.IntRange(1, 12), 0, 5).Draw(t, "stretches") {
		second := result.Health{
			CPU:       shares().Draw(t, "cpu"),
			Throttled: shares().Draw(t, "throttled"),
			Steal:     shares().Draw(t, "steal"),
			GC:        shares().Draw(t, "gc"),
			RSS:       1,
			OpenFiles: shares().Draw(t, "files") * 1000,
		}
		for range stretch {
			e.Seconds = append(e.Seconds, second)
		}
	}
	e.Duration = time.Duration(len(e.Seconds)) * time.Second
	e.Load = e.Duration
	e.Standstill = result.Standstill{
		Freezes: 1, Longest: time.Duration(rapid.IntRange(0, 1200).Draw(t, "longest")) * ms,
		Jumps: rapid.Int64Range(0, 1).Draw(t, "jumps"), Jumped: time.Second,
	}
	e.Standstill.Frozen = e.Standstill.Longest + time.Duration(rapid.IntRange(0, 4000).Draw(t, "frozen"))*ms
	e.Corrected = repeated(100, time.Duration(rapid.IntRange(0, 50_000).Draw(t, "takes"))*time.Microsecond)
	for range rapid.IntRange(0, 2).Draw(t, "phases") {
		phase(rapid.IntRange(98, 101).Draw(t, "sends"), time.Duration(rapid.IntRange(0, 20_000).Draw(t, "lag"))*time.Microsecond, 8*ms)(&e)
	}
	e.Sent = rapid.Int64Range(1, 300).Draw(t, "sent")
	late := rapid.Int64Range(0, e.Sent).Draw(t, "late")
	waited := rapid.Int64Range(0, e.Sent).Draw(t, "waited")
	lateBy := time.Duration(rapid.IntRange(0, 200_000).Draw(t, "late by")) * time.Microsecond
	waitedFor := time.Duration(rapid.IntRange(0, 200_000).Draw(t, "waited for")) * time.Microsecond
	for i := range e.Sent {
		if i < late {
			e.Lag.Record(lateBy)
		} else {
			e.Lag.Record(0)
		}
		if i < waited {
			e.SlotWait.Record(waitedFor)
		}
	}
	e.OwnDrops = rapid.Int64Range(0, 10).Draw(t, "own drops")
	e.Offered = e.Sent + e.OwnDrops
	return e
}

// worsen adds a second that is as bad as any before it, or worse, in everything that is judged.
func worsen(t *rapid.T, e *Evidence) {
	worst := result.Health{RSS: 1}
	for _, probe := range []struct {
		name string
		most result.Reading
		of   *result.Reading
	}{
		{"cpu", Summarise(e.Seconds, nil, nil, 0).CPU.UsedRatioMax, &worst.CPU},
		{"throttled", highest(e.Seconds, func(h result.Health) result.Reading { return h.Throttled }), &worst.Throttled},
		{"steal", highest(e.Seconds, func(h result.Health) result.Reading { return h.Steal }), &worst.Steal},
		{"gc", highest(e.Seconds, func(h result.Health) result.Reading { return h.GC }), &worst.GC},
		{"files", highest(e.Seconds, func(h result.Health) result.Reading { return h.OpenFiles }), &worst.OpenFiles},
	} {
		drawn := shares().Draw(t, "new "+probe.name) // may be unknown, which must not help either
		*probe.of = drawn
		if drawn.Known() && probe.most.Known() {
			*probe.of = max(drawn, probe.most)
		}
	}
	e.Seconds = append(append([]result.Health{}, e.Seconds...), worst)
	e.Duration += time.Second

	longer := time.Duration(rapid.IntRange(0, 1000).Draw(t, "longer")) * ms // a second in which at least as much of it stood still
	least := time.Duration(0)
	if before := e.Load - time.Second; before > 0 {
		least = min(time.Second, time.Duration(float64(e.Standstill.Frozen)/before.Seconds())+1)
	} else {
		least = time.Second
	}
	e.Load += time.Second
	e.Standstill.Frozen += max(least, longer)
	e.Standstill.Longest = max(e.Standstill.Longest, longer)
	e.Standstill.Jumps += rapid.Int64Range(0, 1).Draw(t, "more jumps")
	e.Phases = slices.Clone(e.Phases)
	for i := range e.Phases {
		p := &e.Phases[i]
		p.Lag = p.Lag.Clone()
		for range rapid.IntRange(0, 3).Draw(t, "more of a phase") {
			p.Lag.Record(p.Lag.Max() + ms)
		}
	}

	lag, waits := e.Lag.Clone(), e.SlotWait.Clone()
	for range rapid.IntRange(0, 20).Draw(t, "more late sends") {
		lag.Record(lag.Max() + time.Millisecond)
		waits.Record(waits.Max() + time.Millisecond)
		e.Sent++
		e.Offered++
	}
	e.Lag, e.SlotWait = lag, waits
	drops := rapid.Int64Range(0, 3).Draw(t, "more own drops")
	e.OwnDrops += drops
	e.Offered += drops
	e.DescriptorFailures += rapid.Int64Range(0, 1).Draw(t, "more descriptor failures")
	e.PortFailures += rapid.Int64Range(0, 1).Draw(t, "more port failures")
}

func highest(seconds []result.Health, of func(result.Health) result.Reading) result.Reading {
	most := unknown
	for _, h := range seconds {
		if v := of(h); v.Known() && !(most > v) {
			most = v
		}
	}
	return most
}

func TestAWorseSecondNeverImprovesTheVerdict(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyEvidence(t)
		before, reasonsBefore := Judge(e)
		worsen(t, &e)
		after, reasonsAfter := Judge(e)
		if severity(after) < severity(before) {
			t.Errorf("%s %v became %s %v", before, reasonsBefore, after, reasonsAfter)
		}
	})
}

func TestTheLevelIsTheWorstOfTheReasons(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyEvidence(t)
		level, reasons := Judge(e)
		worst, seen := result.Valid, map[string]bool{}
		for i, r := range reasons {
			if severity(r.Level) > severity(worst) {
				worst = r.Level
			}
			if i > 0 && severity(r.Level) > severity(reasons[i-1].Level) {
				t.Errorf("reasons are not sorted: %v", reasons)
			}
			if seen[r.Code] {
				t.Errorf("%s twice: %v", r.Code, reasons)
			}
			seen[r.Code] = true
		}
		if level != worst {
			t.Errorf("%s of %v", level, reasons)
		}
	})
}

func TestUnknownReadingsAloneNeverGiveAReasonToDoubt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := fit()
		for i := range e.Seconds {
			if rapid.Bool().Draw(t, "unread") {
				e.Seconds[i] = result.Health{CPU: unknown, Throttled: unknown, Steal: unknown, GC: unknown, RSS: unknown, OpenFiles: unknown}
			}
		}
		level, reasons := Judge(e)
		if level != result.Valid || len(reasons) > 1 {
			t.Errorf("%s: %v", level, reasons)
		}
	})
}

// The probe's own clamp keeps readings within 0 to 1, but a result read from a file may hold anything.
func TestAnyReadingIsJudgedWithoutPanic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wild := rapid.Map(rapid.Float64(), func(v float64) result.Reading { return result.Reading(v) })
		e := Evidence{
			Duration: time.Duration(rapid.Int64().Draw(t, "duration")),
			Limits:   Limits{CPUs: wild.Draw(t, "cpus"), Files: wild.Draw(t, "files"), EphemeralPorts: wild.Draw(t, "ports")},
			Seconds:  []result.Health{{CPU: wild.Draw(t, "cpu"), GC: wild.Draw(t, "gc"), OpenFiles: wild.Draw(t, "open")}},
			Offered:  rapid.Int64().Draw(t, "offered"), Sent: rapid.Int64().Draw(t, "sent"), OwnDrops: rapid.Int64().Draw(t, "dropped"),
		}
		if level, _ := Judge(e); severity(level) < 0 {
			t.Errorf("level %q", level)
		}
	})
}
