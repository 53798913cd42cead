package validity

import (
	"time"

	"scalableappbackend/loadgen/result"
)

// The names of the probes, as HealthSummary.Unknown and reasons list them.
const (
	probeCPU       = "cpu"
	probeThrottled = "throttled"
	probeSteal     = "steal"
	probeGC        = "gc"
	probeRSS       = "rss"
	probeOpenFiles = "open_files"
)

// Summarise sums up a run's readings, each counting as a second. Means and maxima are over the
// seconds that were read; a probe that never was is listed in Unknown. Judge judges these figures.
//
// slotWait holds the sends that waited because max-in-flight was reached; clamped is the number of
// latencies above result.MaxLatency.
func Summarise(seconds []result.Health, lag, slotWait *result.Histogram, clamped int64) result.HealthSummary {
	t := tallyUp(seconds)
	summary := result.HealthSummary{
		Lag:           summariseLag(lag),
		WaitedForSlot: summariseLag(slotWait),
		CPU: result.CPUSummary{
			UsedRatioMax:   t.cpu.highest(),
			UsedRatioMean:  t.cpu.average(),
			ThrottledRatio: t.throttled.average(),
			StealRatio:     t.steal.average(),
		},
		GCRatio:      t.gc.average(),
		RSSMaxBytes:  t.rss.highest(),
		OpenFilesMax: t.openFiles.highest(),
		Clamped:      clamped,
		Unknown:      []string{},
	}
	for _, probe := range t.probes() {
		if probe.known == 0 {
			summary.Unknown = append(summary.Unknown, probe.name)
		}
	}
	return summary
}

func summariseLag(h *result.Histogram) result.LagSummary {
	return result.LagSummary{
		P50:   milliseconds(h.Quantile(0.50)),
		P99:   milliseconds(h.Quantile(0.99)),
		Max:   milliseconds(h.Max()),
		Count: h.Count(),
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// tally is every probe's readings of a run, added up.
type tally struct {
	cpu, throttled, steal, gc, rss, openFiles column
}

func tallyUp(seconds []result.Health) *tally {
	t := &tally{
		cpu:       column{name: probeCPU},
		throttled: column{name: probeThrottled},
		steal:     column{name: probeSteal},
		gc:        column{name: probeGC},
		rss:       column{name: probeRSS},
		openFiles: column{name: probeOpenFiles},
	}
	for _, h := range seconds {
		t.cpu.add(h.CPU)
		t.throttled.add(h.Throttled)
		t.steal.add(h.Steal)
		t.gc.add(h.GC)
		t.rss.add(h.RSS)
		t.openFiles.add(h.OpenFiles)
	}
	return t
}

func (t *tally) probes() []*column {
	return []*column{&t.cpu, &t.throttled, &t.steal, &t.gc, &t.rss, &t.openFiles}
}

// column is one probe's readings, without those that are unknown.
type column struct {
	name  string
	known int // readings
	mean  float64
	most  float64
}

// add keeps the mean as a running one, which a reading that is no lower can never lower, rounding
// included: a worse second must not improve a verdict.
func (c *column) add(r result.Reading) {
	if !r.Known() {
		return
	}
	v := float64(r)
	if c.known++; c.known == 1 {
		c.mean, c.most = v, v
		return
	}
	c.mean += (v - c.mean) / float64(c.known)
	c.most = max(c.most, v)
}

func (c *column) average() result.Reading {
	if c.known == 0 {
		return result.Unknown()
	}
	return result.Reading(c.mean)
}

func (c *column) highest() result.Reading {
	if c.known == 0 {
		return result.Unknown()
	}
	return result.Reading(c.most)
}
