package units

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestWrappedTextKeepsItsWordsInLinesThatFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`([x-zé–]{1,12} |[0-9.]{0,4}[0-9] (ms|%|MiB) ){0,20}`).Draw(t, "text")
		width := rapid.IntRange(8, 60).Draw(t, "width")
		lines := Wrap(text, width)
		if got := strings.Join(lines, " "); got != strings.Join(strings.Fields(text), " ") {
			t.Fatalf("%q became %q", text, lines)
		}
		for _, l := range lines {
			unbroken := len(strings.Fields(l)) == 1 || len(strings.Fields(l)) == 2 && isUnit(strings.Fields(l)[1])
			if utf8.RuneCountInString(l) > width && !unbroken {
				t.Fatalf("%q is wider than %d", l, width)
			}
			if isUnit(strings.Fields(l + " x")[0]) {
				t.Fatalf("%q begins with a unit whose number is above it", l)
			}
		}
	})
}
