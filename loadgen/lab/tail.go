package lab

import (
	"bytes"
	"slices"
	"strings"
	"sync"
)

// What is kept of a program's output: so many lines, each up to so many bytes.
const (
	tailLines = 50
	tailWidth = 400
)

// tail keeps the last lines written to it, of standard output and standard error together.
type tail struct {
	mu      sync.Mutex
	lines   []string
	partial []byte // of the line being written, up to tailWidth
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for rest := p; len(rest) > 0; {
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		t.partial = append(t.partial, line[:min(len(line), tailWidth-len(t.partial))]...)
		if ended {
			t.end()
		}
		rest = after
	}
	return len(p), nil
}

func (t *tail) end() {
	line := clean(t.partial)
	t.partial = t.partial[:0]
	if line == "" {
		return
	}
	if len(t.lines) == tailLines {
		t.lines = slices.Delete(t.lines, 0, 1)
	}
	t.lines = append(t.lines, line)
}

// last is what was kept, oldest first, the line being written included.
func (t *tail) last() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	lines := slices.Clone(t.lines)
	if line := clean(t.partial); line != "" {
		lines = append(lines, line)
	}
	return lines
}

// clean makes a line safe to print: valid text without control characters, which could drive a terminal.
func clean(line []byte) string {
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(line), "�"))
	return strings.TrimSpace(s)
}
