package main

import (
	"bytes"
	"slices"
	"testing"
)

// seenBy is an env whose terminals are these streams.
func seenBy(variables map[string]string, terminals ...string) *env {
	return &env{
		stdin: stream("stdin"), stdout: stream("stdout"), stderr: stream("stderr"),
		lookup: func(name string) (string, bool) { v, ok := variables[name]; return v, ok },
		isTTY: func(s any) bool {
			name, ok := s.(stream)
			return ok && slices.Contains(terminals, string(name))
		},
	}
}

type stream string

func (stream) Read(p []byte) (int, error)  { return 0, nil }
func (stream) Write(p []byte) (int, error) { return len(p), nil }

func TestARunIsDrawnWhereAPersonLooks(t *testing.T) {
	yes, no := true, false
	dumb := map[string]string{"TERM": "dumb"}
	for _, row := range []struct {
		env      *env
		headless *bool
		want     bool
		why      string
	}{
		{seenBy(nil, "stdin", "stdout", "stderr"), nil, true, "all is a terminal"},
		{seenBy(nil, "stdout", "stderr"), nil, true, "input may come from elsewhere"},
		{seenBy(nil, "stdin", "stderr"), nil, false, "stdout goes to a file: plain lines"},
		{seenBy(nil, "stdin", "stdout"), nil, false, "there is nothing to draw on"},
		{seenBy(nil), nil, false, "a container, a pipeline"},
		{seenBy(nil, "stdin", "stdout", "stderr"), &yes, false, "--headless"},
		{seenBy(nil, "stderr"), &no, true, "--headless=false, wherever stdout goes"},
		{seenBy(nil, "stdout"), &no, false, "and still nothing to draw on"},
		{seenBy(dumb, "stdin", "stdout", "stderr"), nil, false, "a terminal that only writes lines"},
		{seenBy(dumb, "stderr"), &no, false, "whatever is asked for"},
	} {
		if got := row.env.draws(row.headless); got != row.want {
			t.Errorf("%v, want %v: %s", got, row.want, row.why)
		}
	}
}

func TestColorsAreForTerminalsThatTakeThem(t *testing.T) {
	for _, row := range []struct {
		variables map[string]string
		stream    stream
		want      bool
	}{
		{nil, "stdout", true},
		{map[string]string{"TERM": "xterm-256color"}, "stdout", true},
		{nil, "stderr", false},
		{map[string]string{"NO_COLOR": "1"}, "stdout", false},
		{map[string]string{"NO_COLOR": ""}, "stdout", true}, // no-color.org: when it is not empty
		{map[string]string{"TERM": "dumb"}, "stdout", false},
	} {
		if got := seenBy(row.variables, "stdout").color(row.stream); got != row.want {
			t.Errorf("%v on %s: %v, want %v", row.variables, row.stream, got, row.want)
		}
	}
}

func TestALongLineOnATerminalIsBrokenBetweenWords(t *testing.T) {
	const long = "0:04/0:15 steady users 50 offered 401.9/s done 401.9/s p50 0.171 ms p99 0.661 ms errors 0 (0.00 %) lag p99 4.96 ms"
	for _, row := range []struct {
		why   string
		tty   bool
		wants string
	}{
		{"a number keeps its unit, and what goes on is indented", true, "0:04/0:15 steady users 50 offered 401.9/s\n  done 401.9/s p50 0.171 ms p99 0.661 ms\n  errors 0 (0.00 %) lag p99 4.96 ms\nshort\n"},
		{"a log has a line for each line", false, long + "\nshort\n"},
	} {
		var out bytes.Buffer
		e := env{stderr: &out, isTTY: func(any) bool { return row.tty }, size: func(any) (int, int) { return 44, 20 }}
		lines := e.wholeLines()
		for _, text := range []string{long + "\n", "short\n"} {
			if n, err := lines.Write([]byte(text)); n != len(text) || err != nil {
				t.Errorf("%s: wrote %d of %d: %v", row.why, n, len(text), err)
			}
		}
		if out.String() != row.wants {
			t.Errorf("%s:\n%s\nwant\n%s", row.why, out.String(), row.wants)
		}
	}
}
