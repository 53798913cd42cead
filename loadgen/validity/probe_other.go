//go:build unix && !linux && !darwin

package validity

import "scalableappbackend/loadgen/result"

// source knows the process's CPU time and nothing else.
type source struct{}

func newSource(string) *source { return &source{} }

func (*source) seesAbove() bool { return false }
func (*source) close() error    { return nil }

func (*source) read() counters {
	return counters{
		cpu:       processCPU(),
		steal:     result.Unknown(),
		host:      result.Unknown(),
		rss:       result.Unknown(),
		openFiles: result.Unknown(),
	}
}
