package tui

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"

	"scalableappbackend/loadgen/plan"
	"scalableappbackend/loadgen/result"
)

// terminal is what a screen writes to; it is no terminal, and has no keys.
type terminal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.b.Write(p)
}

func (t *terminal) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return ansi.Strip(t.b.String())
}

var _ result.Sink = (*Screen)(nil)

func meta() *result.Meta {
	p := plan.Default()
	return &result.Meta{Plan: p, Phases: p.Phases()}
}

func TestAScreenDrawsItsRunAndCanBeClosedTwice(t *testing.T) {
	out := &terminal{}
	s := &Screen{Title: "50 users", Output: out, Environ: []string{"TERM=xterm"}}
	if err := s.Start(meta()); err != nil {
		t.Fatal(err)
	}
	for _, w := range healthy(3) {
		if err := s.Window(w); err != nil {
			t.Fatal(err)
		}
	}
	s.Stopping("signal: interrupt")
	// A frame is drawn ten times a second, on a goroutine of the library's own.
	for deadline := time.Now().Add(5 * time.Second); !strings.Contains(out.text(), "signal: interrupt"); time.Sleep(10 * ms) {
		if time.Now().After(deadline) {
			t.Fatalf("never drawn; what was: %q", out.text())
		}
	}
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if got := out.text(); !strings.Contains(got, "50 users") || !strings.Contains(got, "ramp") {
		t.Errorf("drawn was %q", got)
	}
}

func TestAScreenThatWasNeverStartedCloses(t *testing.T) {
	s := &Screen{Output: io.Discard}
	s.Stopping("signal: interrupt")
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
