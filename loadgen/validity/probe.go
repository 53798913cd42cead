package validity

import (
	"runtime/metrics"
	"time"

	"scalableappbackend/loadgen/result"
)

// Probe reads the generator's own condition. It holds a few files open so that it can still read
// them when the process has run out of descriptors; Close gives them back.
//
// A Probe serves one goroutine.
type Probe struct {
	limit   result.Reading // CPUs
	source  *source
	metrics []metrics.Sample
	last    counters
	// blind: the quota of an ECS task is set on a group above the container's. Where that one is
	// out of sight its throttling is, too, and the container's own group says 0. The same may be
	// true of a limit that could not be read.
	blind bool
}

// NewProbe begins at now: the first Read tells what happened since. A limit that is unknown leaves
// the readings unknown that are measured against it.
func NewProbe(limits Limits, now time.Time) *Probe {
	return newProbe(limits, now, newSource("/"))
}

func newProbe(limits Limits, now time.Time, s *source) *Probe {
	p := &Probe{
		limit:  limits.CPUs,
		source: s,
		metrics: []metrics.Sample{
			{Name: "/cpu/classes/gc/total:cpu-seconds"},
			{Name: "/cpu/classes/gc/mark/idle:cpu-seconds"},
		},
		blind: (limits.Source == SourceECS || limits.Source == "") && !s.seesAbove(),
	}
	p.last = p.count(now)
	return p
}

// Read tells what happened since the last Read or NewProbe, which should be about a second ago:
// Judge weighs all readings alike. Nothing can be told of no time at all, and it is unknown then.
func (p *Probe) Read(now time.Time) result.Health {
	current := p.count(now)
	h := difference(p.last, current, p.limit)
	if p.blind {
		h.Throttled = result.Unknown()
	}
	p.last = current
	return h
}

// Close closes what the probe holds open.
func (p *Probe) Close() error { return p.source.close() }

// counters is one look at what adds up while a process runs, in CPU seconds unless said otherwise,
// and at what it holds just now. Unknown stays unknown in every difference, because NaN does.
type counters struct {
	at        time.Time
	cpu       result.Reading
	throttled []result.Reading // seconds, of each control group that may hold the process back
	steal     result.Reading   // of the host, in ticks
	host      result.Reading   // all CPU time of the host, in ticks
	gc        result.Reading

	rss       result.Reading // bytes
	openFiles result.Reading
}

func (p *Probe) count(now time.Time) counters {
	c := p.source.read()
	c.at = now
	c.gc = p.collector()
	return c
}

// collector is the CPU time that garbage collection took from the program. The part done on CPUs
// that had nothing else to do is left out, as runtime/metrics advises ("compulsory GC CPU time").
// The runtime adds a collection up when it ends, so that all of it falls into that second.
func (p *Probe) collector() result.Reading {
	metrics.Read(p.metrics)
	total, idle := p.metrics[0].Value, p.metrics[1].Value
	if total.Kind() != metrics.KindFloat64 || idle.Kind() != metrics.KindFloat64 {
		return result.Unknown()
	}
	return result.Reading(total.Float64() - idle.Float64())
}

// difference is what happened between two looks.
func difference(before, after counters, limit result.Reading) result.Health {
	elapsed := result.Reading(after.at.Sub(before.at).Seconds())
	cpu := share(after.cpu-before.cpu, elapsed*limit)
	return result.Health{
		CPU:       cpu,
		Throttled: heldBack(before.throttled, after.throttled, elapsed),
		Steal:     share(after.steal-before.steal, after.host-before.host),
		// The runtime measures by the clock, also while the host runs something else.
		GC:        min(cpu, share(after.gc-before.gc, elapsed*limit)),
		RSS:       after.rss,
		OpenFiles: after.openFiles,
	}
}

// share is part ÷ whole within 0 to 1, unknown when nothing of the whole has passed. Clocks and
// counters are read one after the other, and the scheduler lets a quota be overdrawn for a moment.
func share(part, whole result.Reading) result.Reading {
	if !part.Known() || !(whole > 0) {
		return result.Unknown()
	}
	return min(max(part/whole, 0), 1)
}

// heldBack is the share of the group that held back most. The kernel adds up the time that each CPU
// was withheld, which may be longer than the time that passed.
func heldBack(before, after []result.Reading, elapsed result.Reading) result.Reading {
	most := result.Unknown()
	if len(before) != len(after) {
		return most
	}
	for i := range after {
		level := share(after[i]-before[i], elapsed)
		if !level.Known() {
			return level
		}
		if !most.Known() || level > most {
			most = level
		}
	}
	return most
}
