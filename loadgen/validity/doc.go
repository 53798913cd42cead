// Package validity answers whether a load generator can be believed: whether what it measured is
// the service's doing or its own.
//
// [ReadLimits] finds what the process may use, a [Probe] reads once a second how much of it is in
// use, [Preflight] refuses a run that cannot fit, and [Judge] turns all evidence of a run into
// VALID, SUSPECT or INVALID with reasons. [Summarise] gives the figures that Judge judges.
//
// What it promises: Judge depends on its argument alone; the verdict is the worst level of any
// reason, and a worse second never improves it; a reason shows the figure that was judged, its
// limit, and what to do. A probe that cannot be read is unknown, is told once, and never counts as
// a good reading. What it refuses: it stops no run, reads no environment, prints nothing, and
// does not watch what it cannot see, such as other processes in the same control group.
//
// # The rules
//
// This is the one place where they are written down; a test holds the numbers to the code. SUSPECT
// means usable, with a reason to look twice. INVALID means that the numbers describe the generator.
// Ratios and times are judged as they are shown, to three significant digits.
//
//	code           level    rule
//	lag            INVALID  p99 of the generator's own lag > 100 ms
//	lag            INVALID  p50 > 4 ms and > corrected's p50, or p99 > 40 ms and > corrected's p99, in the run or in a phase of ≥ 100 sends
//	lag            SUSPECT  p99 of the generator's own lag > 10 ms
//	lag            SUSPECT  p50 > 1 ms and > 25 % of corrected's p50, or p99 > 10 ms and > 25 % of corrected's p99, in the run or in a phase of ≥ 100 sends
//	freezes        INVALID  the generator stood still for > 5 % of the load, and for ≥ 100 ms in all
//	freezes        SUSPECT  the generator stood still for > 0.5 % of the load, or for ≥ 1 s at a time
//	clock          SUSPECT  the wall clock moved by ≥ 10 ms against the monotonic clock
//	cpu            INVALID  CPU use ≥ 95 % in 10 % of the seconds or more, and in 3 at least
//	cpu            SUSPECT  the same in fewer than 3 seconds, which are 10 % of a short run
//	cpu            SUSPECT  the same in a bench, however many seconds
//	cpu            SUSPECT  CPU use ≥ 80 % for 10 seconds on end, or all through a shorter run
//	descriptors    INVALID  any request failed for want of a descriptor
//	descriptors    SUSPECT  > 90 % of the descriptor limit in use at any time
//	ports          INVALID  any request failed for want of a local port
//	own_drops      INVALID  > 1 % of the sends offered were dropped by the generator itself, and > 1 send
//	throttled      SUSPECT  the control group held the process back for > 1 % of the time
//	steal          SUSPECT  the hypervisor took > 5 % of the host's CPU time
//	gc             SUSPECT  garbage collection took > 1 % of the CPU time that may be used, over ≥ 10 seconds
//	max_in_flight  SUSPECT  > 1 % of the sends waited > 10 ms because max-in-flight was reached
//	max_in_flight  VALID    any send waited because max-in-flight was reached
//	backlog        SUSPECT  > 1 % of the sends waited > 10 ms because an answer took longer than its user's pacing
//	backlog        VALID    any send waited for its user
//	nothing_sent   SUSPECT  no request was sent
//	probe_unknown  VALID    a probe or a limit could not be read, or not in > 10 % of the seconds
//	warning        VALID    what the caller says that the reader should know
//
// # Why these
//
// lag. It is the time from when a send was due, and its user or slot free, until it was made. It is
// in no latency, but what delays a send delays the reading of an answer just as well, and that is in
// all of them. An idle generator's p99 is 0.1 to 1.1 ms, by the timer it uses
// (docs/architecture.md, "Time and truth"). 10 ms is ten times the worse of these, and the size of
// a quick service's answer; from 100 ms on, a p99 tells of the generator whatever the service does.
// Below 100 sends the p99 is the slowest one. Lag beyond the p99, which the health figures show,
// sits in p99.9 and max.
//
// lag, weighed. A lag of 3 ms is nothing to a service that takes 100 ms and most of what is seen of
// one that takes 1 ms. So the median and the p99 are compared with the same percentile of corrected
// latency: at a quarter of it, a reader would take the generator for the service in the second
// digit; at the whole of it, for most of what was measured. Each phase alone, because a long one
// hides a short one, and by when sends were due, because that is whose lag it is. Below 100 sends a
// p99 is a maximum, and chance; such phases are judged with the run. 1 ms is what a Go timer is late
// by on an idle machine.
//
// freezes. In a closed load each user gives one late sample however long the generator stood still,
// and a load with nothing due gives none, so that lag does not find it. The watchdog ticks every
// 5 ms, or 20 ms where no more than 0.5 CPUs may be used, and less often where its ticks would cost
// more than 0.5 % of the limit; a tick that is late by 10 ms or more is a freeze as long as it is
// late. 10 ms is lag's limit, and ten times what a Go timer is late by. With 0.5 % of the time lost
// to one freeze, p99.5 of an even load is the generator's, and a freeze of 1 s is in everybody's
// maximum; with 5 %, p95 is. What is missing from the figure is what passed before the first late
// tick, 5 ms of each freeze at most, and freezes that fit between two ticks. A sum below 100 ms makes
// no run INVALID: 5 % of a run of one second is a hiccup that any host has now and then.
//
// clock. A machine that is suspended may stop the monotonic clock with everything else: no time
// passes on it, no tick is late, and only the wall clock tells. Setting the clock looks the same, so
// that the reason names both. Latencies are measured on the monotonic clock and stay right; times of
// day, and what servers and other generators did meanwhile, do not fit them any more. A clock that is
// slewed drifts by 0.05 % at most, which is left out.
//
// cpu. It is measured against what the process may use: the smallest of the control groups' quotas,
// the ECS task's limit, the affinity mask, the host and GOMAXPROCS. An answer waits for a CPU before
// it is read and timed, for ρ/(1−ρ) times its service at a use of ρ (M/M/1): 4 times at 80 %, 19
// times at 95 %. k6 asks for the same ("at least 20 % idle", Running large tests). Ten seconds leave
// out start-up and a short ramp. A run shorter than that has no longer row to show, and is suspect
// when it was busy from end to end. Three seconds, because a second more or less must not make a
// short run invalid. Seconds that were not read are left out of both the row and the share.
//
// cpu, in a bench. It was told to go as fast as it can, so that all CPU in use is no fault: one of the two sides has to
// be the limit, and the reader is told that it was this one. Its rate is then a lower bound of what the service can do.
//
// throttled. The kernel withholds the CPU from when a quota is used up until its period ends, 100 ms
// by default (Documentation/scheduler/sched-bwc): the process stands still that long, often while
// the mean use looks moderate. With 1 % of the time lost, p99 begins to be the scheduler's. The
// figure is exact in runs of any length.
//
// steal. Nothing runs in stolen time, but it comes in shorter pieces than throttling, and a few per
// cent are everyday on shared hosts. 5 % is a convention; nothing was measured for it.
//
// gc. Measured against what may be used, not against what was used. The seed's profile uses 2 % of
// two CPUs and a twentieth of that on collection: this delays nobody, but by the other measure it
// would be suspect for ever. The collector takes a quarter of GOMAXPROCS while it marks (runtime,
// gcBackgroundUtilization), so that 1 % of the whole means marking during 4 % of the time, which p99
// sees and p95 does not. The figure is /cpu/classes/gc/total − /cpu/classes/gc/mark/idle of
// runtime/metrics, ÷ (elapsed × CPU limit). The runtime measures it by the clock, so that it comes
// out too high where the process was held back, and is cut to the CPU use of its second. It adds a
// collection up when it ends (golang/go#59749): the figure jumps from second to second, and one
// collection would weigh too much in a run under ten.
//
// max_in_flight, backlog. The wait is the target's doing and is in the corrected latency: never INVALID. But
// the load was not offered as planned. It is judged like lag, by the share that p99 stands for.
//
// descriptors, ports. A request that fails for want of either says nothing of the service, and how
// many more were held up is not known. 90 % leaves a tenth for connections in the making.
//
// own_drops. What was not sent cannot have been slow: with more than 1 % missing, p99 may be what is
// missing. A single send may be due just when sending stops.
//
// nothing_sent. Without a send there is no lag to look at, and VALID would be a claim about nothing.
//
// # What may be used
//
// Linux: control groups v2 and v1, hybrid systems too, each level from the process's own group up to
// the highest visible one; the affinity mask as the process started with it. A limit above what a
// container shows is out of sight, but ECS tells its task's limit; throttling by such a group is
// seen where the kernel has cpu.stat.local (6.6), and is unknown elsewhere. CPU use is the
// process's own: what others in its group or task use shows in throttled and lag alone.
//
// macOS: no throttling and no steal; resident memory is the highest so far. Windows: nor resident
// memory, nor descriptors; a job object's limits are not read.
package validity
