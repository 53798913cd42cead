package lab

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestTailKeepsTheLastLines(t *testing.T) {
	var many strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&many, "line %d\n", i)
	}
	for _, tt := range []struct {
		writes []string
		want   []string
		why    string
	}{
		{[]string{"a\nb\n"}, []string{"a", "b"}, "lines"},
		{[]string{"a", "b\nc", "d"}, []string{"ab", "cd"}, "a line comes in pieces, and the last one need not end"},
		{[]string{"a\r\n\n  \nb"}, []string{"a", "b"}, "empty ones are nothing to show"},
		{[]string{"\x1b[31mred\x1b[0m\x07\n"}, []string{"[31mred [0m"}, "nothing can drive a terminal"},
		{[]string{"\xff\xfe\n"}, []string{"�"}, "text is text"},
		{[]string{strings.Repeat("x", 1<<20), "y\nz"}, []string{strings.Repeat("x", tailWidth), "z"}, "an endless line has an end"},
		{[]string{""}, nil, "nothing"},
	} {
		var kept tail
		for _, w := range tt.writes {
			if n, err := kept.Write([]byte(w)); n != len(w) || err != nil {
				t.Errorf("%s: wrote %d, %v", tt.why, n, err)
			}
		}
		if got := kept.last(); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.why, got, tt.want)
		}
	}
	var kept tail
	_, _ = kept.Write([]byte(many.String()))
	if got := kept.last(); len(got) != tailLines || got[0] != fmt.Sprintf("line %d", 10_000-tailLines) || got[tailLines-1] != "line 9999" {
		t.Errorf("of 10,000 lines %d are kept, %q to %q", len(got), got[0], got[len(got)-1])
	}
}

func FuzzTail(f *testing.F) {
	f.Add([]byte("a\nb"), 1)
	f.Add([]byte("\xff\x1b[0m\n\n"), 3)
	f.Fuzz(func(t *testing.T, text []byte, piece int) {
		var whole, pieces tail
		_, _ = whole.Write(text)
		for rest := text; len(rest) > 0; {
			n := min(max(1, piece), len(rest))
			_, _ = pieces.Write(rest[:n])
			rest = rest[n:]
		}
		got := whole.last()
		if !slices.Equal(got, pieces.last()) {
			t.Fatalf("%q in pieces of %d: %q, want %q", text, piece, pieces.last(), got)
		}
		for _, line := range got {
			if !utf8.ValidString(line) || strings.ContainsAny(line, "\n\r\x1b\x00") || line == "" {
				t.Fatalf("%q kept as %q", text, line)
			}
		}
	})
}
