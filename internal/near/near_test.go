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
		{"GET", []string{"GET /login", "GET /login"}, "GET /login", "the same name twice is one name"},
		{"of", []string{"offered"}, "", "two letters begin nothing, though only one name begins so"},
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

// defined is the definition of the distance, written down; it fills in known as it goes.
func defined(a, b []rune, known map[[2]int]int) int {
	if len(a) == 0 || len(b) == 0 {
		return len(a) + len(b)
	}
	if d, ok := known[[2]int{len(a), len(b)}]; ok {
		return d
	}
	differs := 1
	if a[len(a)-1] == b[len(b)-1] {
		differs = 0
	}
	d := min(
		defined(a[:len(a)-1], b, known)+1,
		defined(a, b[:len(b)-1], known)+1,
		defined(a[:len(a)-1], b[:len(b)-1], known)+differs,
	)
	if len(a) > 1 && len(b) > 1 && a[len(a)-1] == b[len(b)-2] && a[len(a)-2] == b[len(b)-1] {
		d = min(d, defined(a[:len(a)-2], b[:len(b)-2], known)+1)
	}
	known[[2]int{len(a), len(b)}] = d
	return d
}

func TestEditsAgreeWithTheDefinition(t *testing.T) {
	letter := rapid.RuneFrom([]rune("abä"))
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfN(letter, 0, 14).Draw(t, "a")
		b := slices.Clone(a) // a few edits away: two words drawn apart are all far from each other
		kinds := rapid.SampledFrom([][]int{{0, 1, 2, 3}, {1, 2}, {1, 1, 2, 3}, {0, 0, 3}}).Draw(t, "kinds")
		for range rapid.IntRange(0, 5).Draw(t, "edits") {
			at := rapid.IntRange(0, len(b)).Draw(t, "at")
			switch edit := rapid.SampledFrom(kinds).Draw(t, "edit"); {
			case edit == 0 || at == len(b):
				b = slices.Insert(b, at, letter.Draw(t, "letter"))
			case edit == 1:
				b = slices.Delete(b, at, at+1)
			case edit == 2:
				b[at] = letter.Draw(t, "letter")
			case at > 0:
				b[at-1], b[at] = b[at], b[at-1]
			}
		}
		if got, want := edits(a, b), min(defined(a, b, map[[2]int]int{}), maxEdits+1); got != want {
			t.Fatalf("edits(%q, %q) = %d, want %d", string(a), string(b), got, want)
		}
	})
}

func TestLongNamesCostLittle(t *testing.T) {
	// 100 targets whose URLs differ in the last letters: the full tables would have 2·10⁹ cells.
	names := make([]string, 100)
	for i := range names {
		names[i] = "GET /" + strings.Repeat("long/", 1000) + strings.Repeat("x", i%3)
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
