package validity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"scalableappbackend/loadgen/result"
)

// The numbers of the rules. The package's doc says what each is compared with, and why.
const (
	LagSuspect = 10 * time.Millisecond  // p99 of the run
	LagInvalid = 100 * time.Millisecond // p99 of the run

	// Weighed against corrected latency, of the run and of each phase.
	LagMedianLeast = time.Millisecond // a p50 up to this is never SUSPECT
	LagTailLeast   = 10 * time.Millisecond
	LagShare       = 0.25 // of the same percentile of corrected latency, for SUSPECT
	LagTimes       = 4    // the limits for INVALID are as many times those for SUSPECT
	LagSends       = 100  // that a phase must have to be judged alone

	FrozenSuspect = 0.005       // of the load
	FrozenInvalid = 0.05        // of the load
	FrozenLeast   = FreezeEvent // in all, for INVALID
	FreezeLong    = time.Second // a single one, for SUSPECT

	CPUHigh             = 0.80
	CPUHighSeconds      = 10 // on end, or all of a shorter run
	CPUSaturated        = 0.95
	CPUSaturatedShare   = 0.10 // of the seconds
	CPUSaturatedSeconds = 3    // for INVALID; SUSPECT with fewer

	ThrottledSuspect = 0.01 // of the time
	StealSuspect     = 0.05 // of the host's CPU time
	GCSuspect        = 0.01 // of the CPU time that may be used
	GCSeconds        = 10   // that must have been read

	SlotWaitLong    = LagSuspect
	SlotWaitSuspect = 0.01 // of the sends, waiting longer than SlotWaitLong

	FilesSuspect    = 0.90 // of the limit
	OwnDropsInvalid = 0.01 // of the sends offered
	OwnDropsExcused = 1    // the send that is due just when the sending stops
	UnreadMax       = 0.10 // of the seconds; a probe that missed more is listed
)

// The codes of reasons. They are fixed: scripts hold on to them.
const (
	CodeLag         = "lag"
	CodeFreezes     = "freezes"
	CodeClock       = "clock"
	CodeCPU         = "cpu"
	CodeThrottled   = "throttled"
	CodeSteal       = "steal"
	CodeGC          = "gc"
	CodeMaxInFlight = "max_in_flight"
	CodeBacklog     = "backlog"
	CodeDescriptors = "descriptors"
	CodePorts       = "ports"
	CodeOwnDrops    = "own_drops"
	CodeNothingSent = "nothing_sent"
	CodeUnknown     = "probe_unknown"
	CodeWarning     = "warning"
)

// Evidence is what there is to judge a generator by. What the zero value of a field leaves out is
// not held against it, but is told as unknown where a rule rests on it.
type Evidence struct {
	Duration time.Duration   // of the run, to know how many seconds should have been read
	Seconds  []result.Health // in order, about a second each
	Limits   Limits

	Lag       *result.Histogram // the generator's own lateness, of every send
	SlotWait  *result.Histogram // the wait for max-in-flight, or of a user's beat for its answer, of the sends that waited
	Closed    bool              // users with a beat: there is no max-in-flight
	Bench     bool              // as fast as it goes: to use all CPU is what was asked for
	Corrected *result.Histogram // corrected latency of the whole run
	Phases    []result.PhaseLag // the run's, by when sends were due

	Load       time.Duration     // how long was sent; Duration has the drain in it
	Standstill result.Standstill // of the whole run

	Offered, Sent int64
	// OwnDrops are the sends that came due and that the generator itself did not make. Those left
	// waiting at max-in-flight when the run ended are the target's doing and not among them.
	OwnDrops int64

	DescriptorFailures int64 // requests that failed because no descriptor was left
	PortFailures       int64 // requests that failed because no local port was left

	Warnings []string // what else the reader should know of the generator's condition
}

// Judge says whether the generator can be believed: the worst level of all reasons, and these, worst
// first. It is a function of the evidence alone.
func Judge(e Evidence) (result.Validity, []result.Reason) {
	t := tallyUp(e.Seconds)
	health := Summarise(e.Seconds, e.Lag, e.SlotWait, 0)
	reasons := []result.Reason{}
	for _, reason := range []result.Reason{
		judgeLag(e),
		judgeFreezes(e),
		judgeClock(e.Standstill),
		judgeCPU(e, t.cpu.known),
		judgeDescriptors(e, health.OpenFilesMax),
		judgePorts(e),
		judgeOwnDrops(e),
		judgeThrottled(health.CPU.ThrottledRatio),
		judgeSteal(health.CPU.StealRatio),
		judgeGC(health.GCRatio, t.gc.known),
		judgeSlotWait(e),
		judgeNothingSent(e),
		judgeUnknown(e, t),
	} {
		if reason.Code != "" {
			reasons = append(reasons, reason)
		}
	}
	for _, warning := range e.Warnings {
		reasons = append(reasons, result.Reason{Code: CodeWarning, Level: result.Valid, Detail: warning})
	}

	slices.SortStableFunc(reasons, func(a, b result.Reason) int {
		return cmp.Compare(severity(b.Level), severity(a.Level))
	})
	if len(reasons) == 0 {
		return result.Valid, reasons
	}
	return reasons[0].Level, reasons
}

func severity(v result.Validity) int {
	return slices.Index([]result.Validity{result.Valid, result.Suspect, result.Invalid}, v)
}

// none is what a rule finds that does not apply: a reason without a code.
func none() result.Reason { return result.Reason{} }

func found(code string, level result.Validity, format string, args ...any) result.Reason {
	return result.Reason{Code: code, Level: level, Detail: fmt.Sprintf(format, args...)}
}

// moreRoom is what to try when the generator has too little of a machine.
const moreRoom = "give it more CPU, or share the load among more generators"

// judgeCPU looks at known seconds only: one that was not read neither breaks a row of busy ones
// nor makes their share smaller.
func judgeCPU(e Evidence, known int) result.Reason {
	limits := e.Limits
	saturated, row, longest := 0, 0, 0
	for _, h := range e.Seconds {
		if !h.CPU.Known() {
			continue
		}
		used := figure(float64(h.CPU))
		if used >= CPUSaturated {
			saturated++
		}
		row++
		if used < CPUHigh {
			row = 0
		}
		longest = max(longest, row)
	}

	of := "the CPU time that it may use"
	if limits.CPUs > 0 {
		of = fmt.Sprintf("the %s CPUs that it may use (%s)", number(float64(limits.CPUs)), limits.Source)
	}
	switch {
	case saturated > 0 && figure(float64(saturated)/float64(known)) >= CPUSaturatedShare:
		if e.Bench {
			return found(CodeCPU, result.Suspect, "the generator was the limit: it used %s or more of %s in %d of %d s, so the service may be able to do more, and latencies hold the generator's own queue: %s",
				percent(CPUSaturated), of, saturated, known, moreRoom)
		}
		level := result.Suspect
		if saturated >= CPUSaturatedSeconds {
			level = result.Invalid
		}
		return found(CodeCPU, level, "the generator used %s or more of %s in %d of %d s (limit %s of them): %s",
			percent(CPUSaturated), of, saturated, known, percent(CPUSaturatedShare), moreRoom)
	case longest > 0 && longest >= min(CPUHighSeconds, known):
		return found(CodeCPU, result.Suspect, "the generator used %s or more of %s for %d s on end (limit %d s): %s",
			percent(CPUHigh), of, longest, min(CPUHighSeconds, known), moreRoom)
	}
	return none()
}

const raiseFiles = "raise the limit (ulimit -n, or nofile in the ulimits of an ECS container definition), or share the load among more generators"

func judgeDescriptors(e Evidence, most result.Reading) result.Reason {
	limit := e.Limits.Files
	if e.DescriptorFailures > 0 {
		of := ""
		if limit > 0 {
			of = fmt.Sprintf(" of %.0f", float64(limit))
		}
		return found(CodeDescriptors, result.Invalid, "%s failed because the generator had no descriptor%s left: %s",
			requests(e.DescriptorFailures), of, raiseFiles)
	}
	if limit > 0 && most.Known() && figure(float64(most/limit)) > FilesSuspect {
		return found(CodeDescriptors, result.Suspect, "%.0f of %.0f descriptors were in use, %s (limit %s): %s",
			float64(most), float64(limit), percent(float64(most/limit)), percent(FilesSuspect), raiseFiles)
	}
	return none()
}

func judgePorts(e Evidence) result.Reason {
	if e.PortFailures == 0 {
		return none()
	}
	of := ""
	if ports := e.Limits.EphemeralPorts; ports > 0 {
		of = fmt.Sprintf(" of %.0f to one destination", float64(ports))
	}
	return found(CodePorts, result.Invalid, "%s failed because the generator had no local port%s left: %s",
		requests(e.PortFailures), of, "keep connections alive, or share the load among more generators")
}

func judgeOwnDrops(e Evidence) result.Reason {
	if e.OwnDrops <= OwnDropsExcused || e.Offered <= 0 {
		return none()
	}
	share := float64(e.OwnDrops) / float64(e.Offered)
	if figure(share) <= OwnDropsInvalid {
		return none()
	}
	return found(CodeOwnDrops, result.Invalid, "the generator itself dropped %d of the %d sends that came due, %s (limit %s): %s",
		e.OwnDrops, e.Offered, percent(share), percent(OwnDropsInvalid), moreRoom)
}

func judgeThrottled(share result.Reading) result.Reason {
	if !exceeds(share, ThrottledSuspect) {
		return none()
	}
	return found(CodeThrottled, result.Suspect, "the generator's control group held it back for %s of the time (limit %s): %s",
		percent(float64(share)), percent(ThrottledSuspect), "raise its CPU limit, or share the load among more generators")
}

func judgeSteal(share result.Reading) result.Reason {
	if !exceeds(share, StealSuspect) {
		return none()
	}
	return found(CodeSteal, result.Suspect, "the hypervisor took %s of the host's CPU time (limit %s): %s",
		percent(float64(share)), percent(StealSuspect), "use a host that others do not share, or one that is not out of CPU credits")
}

func judgeGC(share result.Reading, seconds int) result.Reason {
	if seconds < GCSeconds || !exceeds(share, GCSuspect) {
		return none()
	}
	return found(CodeGC, result.Suspect, "garbage collection took %s of the CPU time that the generator may use (limit %s): %s",
		percent(float64(share)), percent(GCSuspect), moreRoom)
}

// judgeSlotWait never goes below SUSPECT: the cap was reached because answers took long, and
// corrected latency holds the wait.
func judgeSlotWait(e Evidence) result.Reason {
	waited, long := e.SlotWait.Count(), int64(0)
	if waited == 0 {
		return none()
	}
	for micros, n := range e.SlotWait.Buckets {
		if time.Duration(micros)*time.Microsecond > SlotWaitLong {
			long += n
		}
	}
	share := float64(long) / float64(max(e.Sent, waited))
	code, cause := CodeMaxInFlight, "the cap was reached: max-in-flight"
	if e.Closed {
		code, cause = CodeBacklog, "answers took longer than the users' pacing: their backlog"
	}
	if figure(share) <= SlotWaitSuspect {
		return found(code, result.Valid, "%s made %d of %d sends wait, %s of them longer than %s ms (limit %s); corrected latency holds the wait",
			cause, waited, max(e.Sent, waited), percent(share), number(milliseconds(SlotWaitLong)), percent(SlotWaitSuspect))
	}
	return found(code, result.Suspect, "%s made %s of the sends wait longer than %s ms (limit %s), because the target answered too slowly; corrected latency holds the wait, raw latency does not",
		cause, percent(share), number(milliseconds(SlotWaitLong)), percent(SlotWaitSuspect))
}

func judgeNothingSent(e Evidence) result.Reason {
	if e.Sent > 0 {
		return none()
	}
	return found(CodeNothingSent, result.Suspect, "nothing was sent, so the generator's timing is unknown")
}

// judgeUnknown lists in one reason whatever could not be read, wholly or for much of the run.
func judgeUnknown(e Evidence, t *tally) result.Reason {
	due := max(len(e.Seconds), int(e.Duration/time.Second))
	var missing []string
	if e.Sent > 0 && e.Lag.Count() == 0 {
		missing = append(missing, CodeLag)
	}
	for _, probe := range t.probes() {
		switch unread := due - probe.known; {
		case probe.known == 0:
			missing = append(missing, probe.name)
		case unread > 1 && figure(float64(unread)/float64(due)) > UnreadMax:
			missing = append(missing, fmt.Sprintf("%s in %d of %d s", probe.name, unread, due))
		}
	}
	missing = append(missing, e.Limits.Unread...)
	if len(missing) == 0 {
		return none()
	}
	return found(CodeUnknown, result.Valid, "could not be read, so that no rule was applied to it: %s", strings.Join(missing, ", "))
}
