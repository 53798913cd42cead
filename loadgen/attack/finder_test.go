package attack

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestATextIsFoundHoweverABodyIsCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Two letters, so that beginnings of the text are everywhere.
		want := rapid.StringMatching(`[ab]{0,5}`).Draw(t, "want")
		f := finder{want: []byte(want)}
		var all strings.Builder
		for range rapid.IntRange(0, 8).Draw(t, "writes") {
			part := rapid.StringMatching(`[ab]{0,6}`).Draw(t, "part")
			if n, err := f.Write([]byte(part)); n != len(part) || err != nil {
				t.Fatalf("wrote %d of %d: %v", n, len(part), err)
			}
			all.WriteString(part)
			if f.found() != strings.Contains(all.String(), want) {
				t.Fatalf("%q in %q: %v", want, all.String(), f.found())
			}
			if len(f.seam) >= max(1, len(want)) {
				t.Fatalf("keeps %d bytes for a text of %d", len(f.seam), len(want))
			}
		}
	})
}
