package validity

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"scalableappbackend/loadgen/result"
)

// fit is the evidence of a minute in which nothing was amiss; changes say what was.
func fit(changes ...func(*Evidence)) Evidence {
	e := Evidence{
		Duration: time.Minute,
		Limits:   Limits{CPUs: 0.5, Source: SourceCgroup2, Files: 1000, EphemeralPorts: 28232},
		Lag:      &result.Histogram{},
		Offered:  10_000,
		Sent:     10_000,

		Corrected: &result.Histogram{},
		Load:      time.Minute,
	}
	for range 60 {
		e.Seconds = append(e.Seconds, result.Health{CPU: 0.3, GC: 0.001, RSS: 1 << 24, OpenFiles: 60})
	}
	for range 10_000 {
		e.Lag.Record(200 * time.Microsecond)
		e.Corrected.Record(8 * time.Millisecond)
	}
	for _, change := range changes {
		change(&e)
	}
	return e
}

// lasting cuts or stretches the run to n like seconds.
func lasting(n int) func(*Evidence) {
	return func(e *Evidence) {
		e.Duration = time.Duration(n) * time.Second
		e.Seconds = slices.Repeat(e.Seconds[:1], n)
	}
}

// in changes seconds from to to, the latter excluded.
func in(from, to int, change func(*result.Health)) func(*Evidence) {
	return func(e *Evidence) {
		for i := from; i < to; i++ {
			change(&e.Seconds[i])
		}
	}
}

func cpu(share result.Reading) func(*result.Health) {
	return func(h *result.Health) { h.CPU = share }
}

func throttled(share result.Reading) func(*result.Health) {
	return func(h *result.Health) { h.Throttled = share }
}

func steal(share result.Reading) func(*result.Health) {
	return func(h *result.Health) { h.Steal = share }
}

func gc(share result.Reading) func(*result.Health) {
	return func(h *result.Health) { h.GC = share }
}

func files(n result.Reading) func(*result.Health) {
	return func(h *result.Health) { h.OpenFiles = n }
}

// late makes n of the 10,000 sends late by d.
func late(n int, d time.Duration) func(*Evidence) {
	return func(e *Evidence) {
		e.Lag = &result.Histogram{}
		for range 10_000 - n {
			e.Lag.Record(200 * time.Microsecond)
		}
		for range n {
			e.Lag.Record(d)
		}
	}
}

// waiting makes n of the sends wait for a slot.
func waiting(n int, d time.Duration) func(*Evidence) {
	return func(e *Evidence) {
		e.SlotWait = &result.Histogram{}
		for range n {
			e.SlotWait.Record(d)
		}
	}
}

// taking makes every answer of the run take d.
func taking(d time.Duration) func(*Evidence) {
	return func(e *Evidence) { e.Corrected = repeated(int(e.Sent), d) }
}

func repeated(n int, d time.Duration) *result.Histogram {
	h := &result.Histogram{}
	for range n {
		h.Record(d)
	}
	return h
}

// phase adds one of n sends, each late by lag and answered after d.
func phase(n int, lag, d time.Duration) func(*Evidence) {
	return func(e *Evidence) {
		e.Phases = append(e.Phases, result.PhaseLag{Name: "steady", From: 10 * time.Second, To: time.Minute, Lag: repeated(n, lag), Corrected: repeated(n, d)})
	}
}

func frozen(freezes int64, longest, all time.Duration) func(*Evidence) {
	return func(e *Evidence) { e.Standstill = result.Standstill{Freezes: freezes, Longest: longest, Frozen: all} }
}

func jumped(n int64, by time.Duration) func(*Evidence) {
	return func(e *Evidence) { e.Standstill.Jumps, e.Standstill.Jumped = n, by }
}

func TestEachRuleAtBothSidesOfItsEdge(t *testing.T) {
	const valid, suspect, invalid = result.Valid, result.Suspect, result.Invalid
	for _, c := range []struct {
		why    string
		change []func(*Evidence)
		level  result.Validity
		code   string // of the first reason; empty for no reason at all
		detail string // of it, a part
	}{
		{"nothing is amiss", nil, valid, "", ""},

		{"lag of 10 ms in the hundredth send: the limit itself", do(late(101, 10*time.Millisecond)), valid, "", ""},
		{"lag above 10 ms in more than one send of a hundred", do(late(101, 14200*time.Microsecond)), suspect, CodeLag,
			"p99 of the generator's own lag was 14.2 ms (limit 10 ms): "},
		{"the first lag above the limit that three digits tell apart", do(late(101, 10060*time.Microsecond)), suspect, CodeLag, "was 10.1 ms (limit 10 ms)"},
		{"lag above 10 ms in one send of a hundred", do(late(100, 14*time.Millisecond)), valid, "", ""},
		{"lag of 100 ms: that limit itself", do(late(101, 100*time.Millisecond), taking(time.Second)), suspect, CodeLag, "was 100 ms (limit 10 ms)"},
		{"lag above 100 ms", do(late(101, 101*time.Millisecond)), invalid, CodeLag, "was 101 ms (limit 100 ms)"},
		{"of a few sends the slowest is the p99", do(lasting(1), func(e *Evidence) { e.Lag = histogram(time.Millisecond, 11*time.Millisecond) }), suspect, CodeLag, "was 11 ms"},

		{"half of the sends late by 1 ms", do(late(5001, ms)), valid, "", ""},
		{"by more than 1 ms, half of a quarter of what answers took", do(late(5001, 1500*time.Microsecond)), valid, "", ""},
		{"by a quarter of what answers took", do(late(5001, 2*ms)), valid, "", ""},
		{"by more than a quarter of what answers took", do(late(5001, 2010*time.Microsecond)), suspect, CodeLag,
			"p50 of the generator's own lag was 2.01 ms (limit 2 ms), where p50 of corrected latency was 8 ms: "},
		{"by 1.2 ms where answers took 2", do(late(5001, 1200*time.Microsecond), taking(2*ms)), suspect, CodeLag, "was 1.2 ms (limit 1 ms), where p50 of corrected latency was 2 ms"},
		{"by four times the limit", do(late(5001, 8*ms)), suspect, CodeLag, "was 8 ms (limit 2 ms)"},
		{"by more than four times the limit", do(late(5001, 8100*time.Microsecond)), invalid, CodeLag, "p50 of the generator's own lag was 8.1 ms (limit 8 ms)"},
		{"by more than 4 ms of a service that takes 1", do(late(5001, 4100*time.Microsecond), taking(ms)), invalid, CodeLag, "was 4.1 ms (limit 4 ms)"},
		{"late by 41 ms in more than one of a hundred, of a service that takes 8", do(late(101, 41*ms)), invalid, CodeLag, "p99 of the generator's own lag was 41 ms (limit 40 ms), where p99 of corrected latency was 8"},
		{"the same of a service that takes 200 ms: the old limit alone", do(late(101, 41*ms), taking(200*ms)), suspect, CodeLag, "was 41 ms (limit 10 ms): "},
		{"the worse of two findings is told", do(late(5001, 101*ms), taking(time.Second)), invalid, CodeLag, "was 101 ms (limit 100 ms): "},
		{"no success to compare with: the limits are as they are", do(late(5001, 1200*time.Microsecond), func(e *Evidence) { e.Corrected = nil }), suspect, CodeLag, "(limit 1 ms), where p50 of corrected latency was 0 ms"},
		{"a phase of 100 sends, half of whose answers' time is lag", do(phase(100, 4*ms, 8*ms)), suspect, CodeLag,
			"p50 of the generator's own lag in steady (10 s to 60 s) was 4 ms (limit 2 ms), where p50 of corrected latency was 8 ms: "},
		{"a phase of 99 sends is judged with the run", do(phase(99, 4*ms, 8*ms)), valid, "", ""},
		{"a phase after another that is well", do(phase(1000, ms/10, 8*ms), phase(1000, 9*ms, 8*ms)), invalid, CodeLag, "in steady (10 s to 60 s) was 9.01 ms (limit 8 ms)"},

		{"never stood still", do(frozen(0, 0, 0)), valid, "", ""},
		{"stood still for 0.5 % of the load", do(frozen(30, 10*ms, 300*ms)), valid, "", ""},
		{"stood still for more than 0.5 % of the load", do(frozen(31, 10*ms, 310*ms)), suspect, CodeFreezes,
			"the generator stood still 31 times, for 310 ms in all, 0.517 % of the load, at longest 10 ms (limit 0.5 %): "},
		{"stood still for 5 % of the load", do(frozen(300, 10*ms, 3*time.Second)), suspect, CodeFreezes, "5 % of the load, at longest 10 ms (limit 0.5 %)"},
		{"stood still for more than 5 % of the load", do(frozen(1, 3060*ms, 3060*ms)), invalid, CodeFreezes,
			"the generator stood still once, for 3.06 s in all, 5.1 % of the load, at longest 3.06 s (limit 5 %): "},
		{"once for 999 ms, of ten minutes", do(frozen(1, 999*ms, 999*ms), func(e *Evidence) { e.Load = 10 * time.Minute }), valid, "", ""},
		{"once for 1 s, of ten minutes", do(frozen(1, time.Second, time.Second), func(e *Evidence) { e.Load = 10 * time.Minute }), suspect, CodeFreezes, "at longest 1 s (limit 1 s at a time): "},
		{"a hiccup of 99 ms in a run of one second", do(lasting(1), frozen(1, 99*ms, 99*ms), func(e *Evidence) { e.Load = time.Second }), suspect, CodeFreezes, "9.9 % of the load, at longest 99 ms (limit 0.5 %)"},
		{"100 ms in a run of one second", do(lasting(1), frozen(2, 60*ms, 100*ms), func(e *Evidence) { e.Load = time.Second }), invalid, CodeFreezes, "10 % of the load"},
		{"stood still in a run without a load", do(frozen(1, 2*time.Second, 2*time.Second), func(e *Evidence) { e.Load = 0 }), invalid, CodeFreezes, "100 % of the load"},

		{"the wall clock jumped", do(jumped(1, 3*time.Second)), suspect, CodeClock,
			"the wall clock went 3 s further than the monotonic one: the machine was suspended, or the clock was set (limit 10 ms): "},
		{"and jumped again", do(jumped(3, -20*ms)), suspect, CodeClock, "the wall clock went back by 20 ms: it was set (the largest of 3 jumps) (limit 10 ms): "},

		{"CPU at 80 % for 9 seconds", do(in(20, 29, cpu(0.80))), valid, "", ""},
		{"CPU at 80 % for 10 seconds", do(in(20, 30, cpu(0.80))), suspect, CodeCPU,
			"the generator used 80 % or more of the 0.5 CPUs that it may use (cgroup v2) for 10 s on end (limit 10 s): "},
		{"CPU just below 80 % for long", do(in(0, 60, cpu(0.799))), valid, "", ""},
		{"CPU at 80 % twice for 9 seconds, with a pause", do(in(0, 9, cpu(0.8)), in(10, 19, cpu(0.8))), valid, "", ""},
		{"CPU at 80 % for 10 seconds, one of which in between was not read", do(in(0, 11, cpu(0.8)), in(5, 6, cpu(unknown))), suspect, CodeCPU, "for 10 s on end"},
		{"CPU at 80 % all through 4 seconds, all there is", do(lasting(4), in(0, 4, cpu(0.8))), suspect, CodeCPU, "for 4 s on end (limit 4 s)"},
		{"CPU at 80 % in 3 of 4 seconds", do(lasting(4), in(0, 3, cpu(0.8))), valid, "", ""},
		{"a single busy second that is all there is", do(lasting(1), in(0, 1, cpu(0.85))), suspect, CodeCPU, "for 1 s on end (limit 1 s)"},

		{"CPU at 95 % all through a bench, which was to go as fast as it can", do(in(0, 60, cpu(1)), func(e *Evidence) { e.Bench = true }), suspect, CodeCPU, "the generator was the limit"},
		{"CPU at 95 % in 5 of 60 seconds", do(in(0, 5, cpu(0.95))), valid, "", ""},
		{"CPU at 95 % in 6 of 60 seconds", do(in(0, 6, cpu(0.95))), invalid, CodeCPU,
			"used 95 % or more of the 0.5 CPUs that it may use (cgroup v2) in 6 of 60 s (limit 10 % of them): "},
		{"a tenth of the seconds need not be in a row", do(in(0, 60, func(h *result.Health) { h.CPU = 0.1 }), in(3, 4, cpu(1)), in(13, 14, cpu(1)), in(23, 24, cpu(1)), in(33, 34, cpu(1)), in(43, 44, cpu(1)), in(53, 54, cpu(1))), invalid, CodeCPU, "in 6 of 60 s"},
		{"CPU just below 95 % in a row of 9", do(in(0, 9, cpu(0.949))), valid, "", ""},
		{"CPU at 95 % in 2 of 20 seconds: too few to be invalid", do(lasting(20), in(0, 2, cpu(0.95))), suspect, CodeCPU, "in 2 of 20 s"},
		{"CPU at 95 % in 3 of 30 seconds", do(lasting(30), in(0, 3, cpu(0.95))), invalid, CodeCPU, "in 3 of 30 s"},
		{"CPU at 95 % in 3 of 31 seconds", do(lasting(31), in(0, 3, cpu(0.95))), valid, "", ""},
		{"CPU at 100 % all through 2 seconds", do(lasting(2), in(0, 2, cpu(1))), suspect, CodeCPU, "in 2 of 2 s"},
		{"CPU at 100 % all through 3 seconds", do(lasting(3), in(0, 3, cpu(1))), invalid, CodeCPU, "in 3 of 3 s"},
		{"an unknown limit is not named", do(in(0, 6, cpu(1)), func(e *Evidence) { e.Limits = Limits{} }), invalid, CodeCPU, "of the CPU time that it may use in 6 of 60 s"},

		{"held back for 1 % of the run", do(in(0, 60, throttled(0.01))), valid, "", ""},
		{"held back for more than 1 % of the run", do(in(0, 60, throttled(0.0104))), suspect, CodeThrottled,
			"the generator's control group held it back for 1.04 % of the time (limit 1 %): "},
		{"held back for 1 s in all of a minute", do(in(59, 60, throttled(1))), suspect, CodeThrottled, "for 1.67 % of the time"},
		{"held back for 12 ms in a run of one second", do(lasting(1), in(0, 1, throttled(0.012))), suspect, CodeThrottled, "for 1.2 % of the time"},

		{"5 % stolen", do(in(0, 60, steal(0.05))), valid, "", ""},
		{"more than 5 % stolen", do(in(0, 60, steal(0.0712))), suspect, CodeSteal, "the hypervisor took 7.12 % of the host's CPU time (limit 5 %): "},
		{"everything stolen for a second of a minute", do(in(7, 8, steal(1))), valid, "", ""},

		{"1 % spent on collection", do(in(0, 60, gc(0.01))), valid, "", ""},
		{"more than 1 % spent on collection", do(in(0, 60, gc(0.016))), suspect, CodeGC, "garbage collection took 1.6 % of the CPU time that the generator may use (limit 1 %): "},
		{"one collection in a run of 9 seconds says little", do(lasting(9), in(0, 9, gc(0.05))), valid, "", ""},
		{"collections in 10 seconds", do(lasting(10), in(0, 10, gc(0.05))), suspect, CodeGC, "took 5 %"},

		{"90 % of the descriptors in use", do(in(5, 6, files(900))), valid, "", ""},
		{"more than 90 % of the descriptors in use, once", do(in(5, 6, files(902))), suspect, CodeDescriptors,
			"902 of 1000 descriptors were in use, 90.2 % (limit 90 %): "},
		{"many descriptors and no limit", do(in(5, 6, files(1e6)), func(e *Evidence) { e.Limits.Files = noLimit() }), valid, "", ""},
		{"many descriptors and an unknown limit", do(in(5, 6, files(1e6)), func(e *Evidence) { e.Limits.Files = unknown }), valid, "", ""},
		{"a request without a descriptor", do(func(e *Evidence) { e.DescriptorFailures = 1 }), invalid, CodeDescriptors,
			"1 request failed because the generator had no descriptor of 1000 left: "},
		{"the same, of a limit that is not known", do(func(e *Evidence) { e.DescriptorFailures = 7; e.Limits.Files = unknown }), invalid, CodeDescriptors,
			"7 requests failed because the generator had no descriptor left: "},
		{"a request without a port", do(func(e *Evidence) { e.PortFailures = 2 }), invalid, CodePorts,
			"2 requests failed because the generator had no local port of 28232 to one destination left: "},

		{"1 % dropped by the generator", do(func(e *Evidence) { e.OwnDrops = 100 }), valid, "", ""},
		{"more than 1 % dropped by the generator", do(func(e *Evidence) { e.OwnDrops = 101 }), invalid, CodeOwnDrops,
			"the generator itself dropped 101 of the 10000 sends that came due, 1.01 % (limit 1 %): "},
		{"the one send that was due when the sending stopped, of few", do(func(e *Evidence) { e.OwnDrops, e.Offered = 1, 20 }), valid, "", ""},
		{"two of few", do(func(e *Evidence) { e.OwnDrops, e.Offered = 2, 20 }), invalid, CodeOwnDrops, "2 of the 20 sends"},

		{"1 % of the sends waited long for a slot", do(waiting(100, time.Second)), valid, CodeMaxInFlight,
			"the cap was reached: max-in-flight made 100 of 10000 sends wait, 1 % of them longer than 10 ms (limit 1 %)"},
		{"more than 1 % of the sends waited long for a slot", do(waiting(420, time.Second)), suspect, CodeMaxInFlight,
			"the cap was reached: max-in-flight made 4.2 % of the sends wait longer than 10 ms (limit 1 %)"},
		{"1 % of the sends waited long for their user", do(waiting(100, time.Second), func(e *Evidence) { e.Closed = true }), valid, CodeBacklog,
			"answers took longer than the users' pacing: their backlog made 100 of 10000 sends wait, 1 % of them longer than 10 ms"},
		{"more than 1 %", do(waiting(420, time.Second), func(e *Evidence) { e.Closed = true }), suspect, CodeBacklog,
			"answers took longer than the users' pacing: their backlog made 4.2 % of the sends wait longer than 10 ms"},
		{"all sends waited, but not long", do(waiting(10_000, 10*time.Millisecond)), valid, CodeMaxInFlight, "made 10000 of 10000 sends wait, 0 % of them"},
		{"more waited than were sent, as a live view may see it", do(waiting(100, time.Second), func(e *Evidence) { e.Sent = 50 }), suspect, CodeMaxInFlight, "made 100 % of the sends wait"},
		{"all sends waited for ever: still the target's doing", do(waiting(10_000, time.Hour)), suspect, CodeMaxInFlight, "made 100 % of the sends wait"},

		{"nothing was sent", do(lasting(3), func(e *Evidence) { e.Sent, e.Offered, e.Lag = 0, 0, nil }), suspect, CodeNothingSent, "nothing was sent"},
		{"nothing but the zero value", do(func(e *Evidence) { *e = Evidence{} }), suspect, CodeNothingSent, ""},

		{"a probe that could never be read", do(in(0, 60, steal(unknown)), in(0, 60, throttled(unknown))), valid, CodeUnknown,
			"could not be read, so that no rule was applied to it: throttled, steal"},
		{"a probe that could not be read in 6 of 60 seconds", do(in(0, 6, cpu(unknown))), valid, "", ""},
		{"a probe that could not be read in 7 of 60 seconds", do(in(0, 7, cpu(unknown))), valid, CodeUnknown, ": cpu in 7 of 60 s"},
		{"the one second of three that a short run is cut by", do(lasting(3), in(2, 3, cpu(unknown))), valid, "", ""},
		{"half of the seconds are missing", do(lasting(30), func(e *Evidence) { e.Duration = time.Minute }), valid, CodeUnknown,
			": cpu in 30 of 60 s, throttled in 30 of 60 s, steal in 30 of 60 s, gc in 30 of 60 s, rss in 30 of 60 s, open_files in 30 of 60 s"},
		{"lag was not measured", do(func(e *Evidence) { e.Lag = nil }), valid, CodeUnknown, ": lag"},
		{"a limit that could not be read", do(func(e *Evidence) { e.Limits.Unread = []string{"ECS task: no answer"} }), valid, CodeUnknown, ": ECS task: no answer"},
		{"what is unknown is not held against anything: no seconds at all", do(func(e *Evidence) { e.Seconds = nil }), valid, CodeUnknown, ": cpu, throttled, steal, gc, rss, open_files"},
		{"a warning", do(func(e *Evidence) { e.Warnings = []string{"the clock was stepped"} }), valid, CodeWarning, "the clock was stepped"},
	} {
		t.Run(c.why, func(t *testing.T) {
			level, reasons := Judge(fit(c.change...))
			if level != c.level {
				t.Errorf("%s, want %s; reasons %v", level, c.level, reasons)
			}
			if c.code == "" {
				if len(reasons) > 0 {
					t.Errorf("reasons %v, want none", reasons)
				}
				return
			}
			if len(reasons) == 0 {
				t.Fatalf("no reason, want %s", c.code)
			}
			first := reasons[0]
			if first.Code != c.code || first.Level != c.level || !strings.Contains(first.Detail, c.detail) {
				t.Errorf("first reason %+v, want %s %s with %q", first, c.level, c.code, c.detail)
			}
			if strings.ContainsAny(first.Detail, "\n\r") || first.Detail == "" || strings.ToLower(first.Detail[:1]) != first.Detail[:1] || strings.HasSuffix(first.Detail, ".") {
				t.Errorf("not a line in lower case without a full stop: %q", first.Detail)
			}
		})
	}
}

// do makes rows of the table short.
func do(changes ...func(*Evidence)) []func(*Evidence) { return changes }

func TestReasonsComeWorstFirstAndOnceForEachCode(t *testing.T) {
	level, reasons := Judge(fit(
		late(200, 20*time.Millisecond),
		in(0, 60, cpu(1)),
		in(0, 60, throttled(0.5)),
		in(0, 60, steal(unknown)),
		waiting(1, time.Second),
		func(e *Evidence) { e.PortFailures, e.Warnings = 3, []string{"a", "b"} },
	))
	var got []string
	for _, r := range reasons {
		got = append(got, string(r.Level)+" "+r.Code)
	}
	want := []string{
		"INVALID cpu", "INVALID ports",
		"SUSPECT lag", "SUSPECT throttled",
		"VALID max_in_flight", "VALID probe_unknown", "VALID warning", "VALID warning",
	}
	if !slices.Equal(got, want) || level != result.Invalid {
		t.Errorf("%s: %q\nwant %q", level, got, want)
	}
}

func TestReasonsOfAFitGeneratorAreAnEmptyListInJSON(t *testing.T) {
	_, reasons := Judge(fit())
	data, err := json.Marshal(reasons)
	if err != nil || string(data) != "[]" {
		t.Errorf("%s, %v", data, err)
	}
}

func TestJudgeLeavesItsEvidenceAlone(t *testing.T) {
	e := fit(in(0, 30, cpu(0.9)), in(30, 60, cpu(0.1)), waiting(5, time.Second))
	before := slices.Clone(e.Seconds)
	lag, waits := e.Lag.Clone(), e.SlotWait.Clone()
	first, _ := Judge(e)
	second, _ := Judge(e)
	if first != second {
		t.Errorf("%s, then %s", first, second)
	}
	if !slices.Equal(before, e.Seconds) || !lag.Equal(e.Lag) || !waits.Equal(e.SlotWait) {
		t.Error("the evidence was changed")
	}
}

// The table of rules in the package's documentation is the only one, so that its numbers must be the code's.
func TestDocumentedRulesAreTheCodesRules(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for line := range strings.Lines(string(source)) {
		if row, ok := strings.CutPrefix(line, "//\t"); ok {
			documented = append(documented, strings.Join(strings.Fields(row), " "))
		}
	}
	rule := func(code string, level result.Validity, format string, args ...any) string {
		return code + " " + string(level) + " " + fmt.Sprintf(format, args...)
	}
	p := percent
	whole := func(share float64) string {
		if share == 1 {
			return ""
		}
		return percent(share) + " of "
	}
	want := []string{
		"code level rule",
		rule(CodeLag, result.Invalid, "p99 of the generator's own lag > %d ms", LagInvalid.Milliseconds()),
		rule(CodeLag, result.Invalid, "p50 > %d ms and > %scorrected's p50, or p99 > %d ms and > %scorrected's p99, in the run or in a phase of ≥ %d sends",
			LagTimes*LagMedianLeast.Milliseconds(), whole(LagTimes*LagShare), LagTimes*LagTailLeast.Milliseconds(), whole(LagTimes*LagShare), LagSends),
		rule(CodeLag, result.Suspect, "p99 of the generator's own lag > %d ms", LagSuspect.Milliseconds()),
		rule(CodeLag, result.Suspect, "p50 > %d ms and > %scorrected's p50, or p99 > %d ms and > %scorrected's p99, in the run or in a phase of ≥ %d sends",
			LagMedianLeast.Milliseconds(), whole(LagShare), LagTailLeast.Milliseconds(), whole(LagShare), LagSends),
		rule(CodeFreezes, result.Invalid, "the generator stood still for > %s of the load, and for ≥ %d ms in all", p(FrozenInvalid), FrozenLeast.Milliseconds()),
		rule(CodeFreezes, result.Suspect, "the generator stood still for > %s of the load, or for ≥ %v s at a time", p(FrozenSuspect), FreezeLong.Seconds()),
		rule(CodeClock, result.Suspect, "the wall clock moved by ≥ %d ms against the monotonic clock", JumpLeast.Milliseconds()),
		rule(CodeCPU, result.Invalid, "CPU use ≥ %s in %s of the seconds or more, and in %d at least", p(CPUSaturated), p(CPUSaturatedShare), CPUSaturatedSeconds),
		rule(CodeCPU, result.Suspect, "the same in fewer than %d seconds, which are %s of a short run", CPUSaturatedSeconds, p(CPUSaturatedShare)),
		rule(CodeCPU, result.Suspect, "the same in a bench, however many seconds"),
		rule(CodeCPU, result.Suspect, "CPU use ≥ %s for %d seconds on end, or all through a shorter run", p(CPUHigh), CPUHighSeconds),
		rule(CodeDescriptors, result.Invalid, "any request failed for want of a descriptor"),
		rule(CodeDescriptors, result.Suspect, "> %s of the descriptor limit in use at any time", p(FilesSuspect)),
		rule(CodePorts, result.Invalid, "any request failed for want of a local port"),
		rule(CodeOwnDrops, result.Invalid, "> %s of the sends offered were dropped by the generator itself, and > %d send", p(OwnDropsInvalid), OwnDropsExcused),
		rule(CodeThrottled, result.Suspect, "the control group held the process back for > %s of the time", p(ThrottledSuspect)),
		rule(CodeSteal, result.Suspect, "the hypervisor took > %s of the host's CPU time", p(StealSuspect)),
		rule(CodeGC, result.Suspect, "garbage collection took > %s of the CPU time that may be used, over ≥ %d seconds", p(GCSuspect), GCSeconds),
		rule(CodeMaxInFlight, result.Suspect, "> %s of the sends waited > %d ms because max-in-flight was reached", p(SlotWaitSuspect), SlotWaitLong.Milliseconds()),
		rule(CodeMaxInFlight, result.Valid, "any send waited because max-in-flight was reached"),
		rule(CodeBacklog, result.Suspect, "> %s of the sends waited > %d ms because an answer took longer than its user's pacing", p(SlotWaitSuspect), SlotWaitLong.Milliseconds()),
		rule(CodeBacklog, result.Valid, "any send waited for its user"),
		rule(CodeNothingSent, result.Suspect, "no request was sent"),
		rule(CodeUnknown, result.Valid, "a probe or a limit could not be read, or not in > %s of the seconds", p(UnreadMax)),
		rule(CodeWarning, result.Valid, "what the caller says that the reader should know"),
	}
	if !slices.Equal(documented, want) {
		t.Errorf("doc.go says\n%s\nthe code says\n%s", strings.Join(documented, "\n"), strings.Join(want, "\n"))
	}
}
