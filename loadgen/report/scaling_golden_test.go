package report

import (
	"bytes"
	"io"
	"sync"
	"testing"
)

// scaledSamples are runs with a timeline, of every kind.
var scaledSamples = []struct {
	name string
	made func() *scaled // once for all tests, which only read it
}{
	{"scaling-seed", sync.OnceValue(grownRun)},
	{"scaling-max", sync.OnceValue(cappedTasksRun)},
	{"scaling-none", sync.OnceValue(idleRun)},
	{"scaling-chaos", sync.OnceValue(killedRun)},
	{"scaling-replica", sync.OnceValue(foreignRun)},
	{"scaling-realtime", sync.OnceValue(realTimeRun)},
}

// simulations are what SimulationText and SweepText write.
var simulations = []struct {
	name  string
	write func(io.Writer, Options) error
}{
	{"simulate-seed", func(w io.Writer, o Options) error { return SimulationText(w, simulatedSeed(), o) }},
	{"simulate-day", func(w io.Writer, o Options) error { return SimulationText(w, simulatedDay(), o) }},
	{"sweep", func(w io.Writer, o Options) error { return SweepText(w, sweep(), o) }},
}

func scaledText(t *testing.T, s *scaled, width int) string {
	t.Helper()
	in := s.input()
	in.Options.Width = width
	var b bytes.Buffer
	if err := Write(&b, "text", in); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
