package report

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"scalableappbackend/internal/golden"
)

// samples are the runs of which every text form is kept under testdata.
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

func TestTextOfARun(t *testing.T) {
	for _, s := range samples {
		for _, width := range []int{80, 120} {
			t.Run(fmt.Sprintf("%s at %d", s.name, width), func(t *testing.T) {
				in := s.made().input()
				in.Options.Width = width
				var b bytes.Buffer
				if err := Write(&b, "text", in); err != nil {
					t.Fatal(err)
				}
				golden.Check(t, fmt.Sprintf("%s-%d.txt", s.name, width), b.Bytes())
			})
		}
	}
}

func TestMarkdownOfARun(t *testing.T) {
	for _, s := range samples {
		t.Run(s.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Write(&b, "markdown", s.made().input()); err != nil {
				t.Fatal(err)
			}
			golden.Check(t, s.name+".md", b.Bytes())
		})
	}
}
