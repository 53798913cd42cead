// Package calm lets a test have a machine on which nothing is amiss: a test that is not about the
// machine that it runs on must not pass or fail by it. It is for tests alone.
package calm

import (
	"testing"
	"time"

	"scalableappbackend/loadgen/result"
	"scalableappbackend/loadgen/validity"
)

// Judge is validity.Judge of a run on a calm machine: what was read of this one, and all that it
// held up, is replaced. What the run itself did, such as sends dropped or a cap reached, stays.
func Judge(e validity.Evidence) (result.Validity, []result.Reason) {
	if !testing.Testing() {
		panic("calm: for tests alone")
	}
	e.Seconds = make([]result.Health, max(1, int(e.Duration/time.Second)))
	for i := range e.Seconds {
		e.Seconds[i] = result.Health{CPU: 0.1, RSS: 1 << 24, OpenFiles: 20}
	}
	e.Limits = validity.Limits{CPUs: 2, Source: validity.SourceHost, HostCPUs: 2, Files: 1 << 16, EphemeralPorts: 28232}
	e.Lag, e.Phases, e.Standstill = promptly(e.Lag.Count()), nil, result.Standstill{}
	return validity.Judge(e)
}

// promptly is the lag of n sends, all on time.
func promptly(n int64) *result.Histogram {
	lag := &result.Histogram{}
	for range n {
		lag.Record(100 * time.Microsecond)
	}
	return lag
}
