package report

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"testing"

	"scalableappbackend/internal/golden"
)

// scaledSamples are the runs with a timeline of which every form is kept under testdata.
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

func TestTextOfARunThatScales(t *testing.T) {
	for _, s := range scaledSamples {
		for _, width := range []int{80, 100, 120} {
			t.Run(fmt.Sprintf("%s at %d", s.name, width), func(t *testing.T) {
				golden.Check(t, fmt.Sprintf("%s-%d.txt", s.name, width), scaledText(t, s.made(), width))
			})
		}
	}
}

func TestMarkdownOfARunThatScales(t *testing.T) {
	for _, s := range scaledSamples {
		t.Run(s.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Write(&b, "markdown", s.made().input()); err != nil {
				t.Fatal(err)
			}
			golden.Check(t, s.name+".md", b.Bytes())
		})
	}
}

func TestTextOfASimulation(t *testing.T) {
	for _, s := range simulations {
		for _, width := range []int{80, 100, 120} {
			t.Run(fmt.Sprintf("%s at %d", s.name, width), func(t *testing.T) {
				var b bytes.Buffer
				if err := s.write(&b, Options{Width: width}); err != nil {
					t.Fatal(err)
				}
				golden.Check(t, fmt.Sprintf("%s-%d.txt", s.name, width), b.Bytes())
			})
		}
	}
}
