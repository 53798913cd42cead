package near

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestNearSuggestsWhatWasProbablyMeant(t *testing.T) {
	metrics := []string{"error_rate", "rps", "requests", "retried", "redirects", "mean", "med", "max", "min"}
	for _, row := range []struct {
		word       string
		candidates []string
		want       string // empty: none
		why        string
	}{
		{"error_rat", metrics, "error_rate", "a letter is missing"},
		{"erorr_rate", metrics, "error_rate", "two neighbours are swapped: one edit"},
		{"reqeusts", metrics, "requests", "a swap in the middle"},
		{"RPS", metrics, "rps", "case alone differs"},
		{"reqs", metrics, "", "four edits and no beginning"},
		{"req", metrics, "requests", "the only one that begins so"},
		{"re", metrics, "", "two letters begin nothing"},
		{"me", metrics, "med", "one edit, though three names begin so"},
		{"", metrics, "", "nothing was typed"},
		{"x", []string{"y"}, "", "nothing of the word is kept"},
		{"medn", metrics, "mean", "mean and med are both one edit away: the first wins"},
		{"avg", metrics, "", "another word"},
		{"latency", metrics, "", "another word"},
		{"GET /helth", []string{"GET /", "GET /health"}, "GET /health", "the nearer of two"},
		{"GET", []string{"GET /a", "GET /b"}, "", "two begin so, and nothing tells them apart"},
		{"GET /lo", []string{"GET /login", "GET /login"}, "GET /login", "the same name twice is one name"},
		{"abcdef", []string{"abcxyf"}, "abcxyf", "two of six letters may differ"},
		{"abcde", []string{"abxye"}, "", "two of five may not"},
		{"abcdefghijkl", []string{"abcdefghwxyz"}, "", "four edits are another word, however long"},
		{"größe", []string{"grosse", "grösse", "Größen"}, "Größen", "letters are counted, not bytes"},
		{"--thresholds", []string{"--threshold", "--think"}, "--threshold", "flags are words like others"},
	} {
		got, ok := Near(row.word, row.candidates)
		if got != row.want || ok != (row.want != "") {
			t.Errorf("Near(%q) = %q, %v, want %q: %s", row.word, got, ok, row.want, row.why)
		}
	}
}

// recursive is the definition of the distance, written down.
func recursive(a, b []rune) int {
	if len(a) == 0 || len(b) == 0 {
		return len(a) + len(b)
	}
	differs := 1
	if a[len(a)-1] == b[len(b)-1] {
		differs = 0
	}
	d := min(
		recursive(a[:len(a)-1], b)+1,
		recursive(a, b[:len(b)-1])+1,
		recursive(a[:len(a)-1], b[:len(b)-1])+differs,
	)
	if len(a) > 1 && len(b) > 1 && a[len(a)-1] == b[len(b)-2] && a[len(a)-2] == b[len(b)-1] {
		d = min(d, recursive(a[:len(a)-2], b[:len(b)-2])+1)
	}
	return d
}

func TestEditsAgreeWithTheDefinition(t *testing.T) {
	word := rapid.StringOfN(rapid.RuneFrom([]rune("abcä")), 0, 6, -1)
	rapid.Check(t, func(t *rapid.T) {
		a, b := []rune(word.Draw(t, "a")), []rune(word.Draw(t, "b"))
		if got, want := edits(a, b), min(recursive(a, b), maxEdits+1); got != want {
			t.Fatalf("edits(%q, %q) = %d, want %d", string(a), string(b), got, want)
		}
	})
}

func TestLongNamesCostLittle(t *testing.T) {
	// 500 targets whose URLs differ in the last letters: the full table would have 2·10¹¹ cells.
	names := make([]string, 500)
	for i := range names {
		names[i] = "GET /" + strings.Repeat("long/", 4000) + strings.Repeat("x", i%3)
	}
	if got, ok := Near(names[0]+"xxy", names); !ok || got != names[2] {
		t.Errorf("found %v, want the name that lacks two letters of three", ok)
	}
}

func TestNearAnswersOneOfTheCandidatesAndTheNearest(t *testing.T) {
	word := rapid.StringOfN(rapid.RuneFrom([]rune("abcd")), 0, 8, -1)
	rapid.Check(t, func(t *rapid.T) {
		w, candidates := word.Draw(t, "word"), rapid.SliceOf(word).Draw(t, "candidates")
		got, ok := Near(w, candidates)
		if !ok {
			if slices.Contains(candidates, w) && w != "" {
				t.Fatalf("%q is itself a candidate and was not found in %q", w, candidates)
			}
			return
		}
		if !slices.Contains(candidates, got) {
			t.Fatalf("Near(%q) = %q, not one of %q", w, got, candidates)
		}
		if strings.HasPrefix(got, w) {
			return
		}
		for _, c := range candidates {
			d := edits([]rune(w), []rune(c))
			if d < edits([]rune(w), []rune(got)) && d <= allowed(len(w), len(c)) {
				t.Fatalf("Near(%q) = %q, but %q is nearer", w, got, c)
			}
		}
	})
}
