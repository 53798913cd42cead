package report

import (
	"bytes"
	"sync"
	"testing"

	"scalableappbackend/internal/golden"
)

// samples are runs of every kind.
var samples = []struct {
	name string
	made func() *sample // once for all tests, which only read it
}{
	{"seed", sync.OnceValue(seedRun)},
	{"suspect", sync.OnceValue(suspectRun)},
	{"invalid", sync.OnceValue(invalidRun)},
	{"interrupted", sync.OnceValue(interruptedRun)},
	{"capped", sync.OnceValue(cappedRun)},
	{"refused", sync.OnceValue(refusedRun)},
	{"empty", sync.OnceValue(emptyRun)},
	{"many", sync.OnceValue(manyRun)},
}

func named(t *testing.T, name string) *sample {
	t.Helper()
	for _, s := range samples {
		if s.name == name {
			return s.made()
		}
	}
	t.Fatalf("no sample %q", name)
	return nil
}

// One run with errors, one that scales, and what is written of a simulation: one file for each format. What all runs and
// widths have in common is held by properties.
func TestAReportLooksAsItDid(t *testing.T) {
	run := named(t, "interrupted").input()
	run.Options.Width = 80
	for _, format := range []string{"text", "markdown", "junit"} {
		var b bytes.Buffer
		if err := Write(&b, format, run); err != nil {
			t.Fatal(err)
		}
		golden.Check(t, "run."+format, b.Bytes())
	}
	for _, format := range []string{"text", "markdown"} {
		var b bytes.Buffer
		if err := Write(&b, format, killedRun().input()); err != nil {
			t.Fatal(err)
		}
		golden.Check(t, "scaling."+format, b.Bytes())
	}
	for _, s := range simulations {
		if s.name == "simulate-day" {
			continue // as simulate-seed, but longer
		}
		var b bytes.Buffer
		if err := s.write(&b, Options{}); err != nil {
			t.Fatal(err)
		}
		golden.Check(t, s.name+".text", b.Bytes())
	}
}
