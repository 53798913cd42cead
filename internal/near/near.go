// Package near finds the name that a person probably meant when the one they typed does not exist.
//
// It promises one suggestion or none, the same one for the same input. It refuses to guess: words
// that share little are not near, and of several names that a short beginning fits none is chosen.
package near

import (
	"strings"
	"unicode/utf8"
)

// Near returns the candidate that word is most likely a misspelling of, and whether there is one.
//
// Nearest is the fewest insertions, deletions, replacements and swaps of neighbouring letters,
// upper and lower case alike; of equally near candidates the first one wins. One edit is always
// allowed, another for each three letters of the longer of the two from the sixth on, at most
// three; a candidate that keeps no letter of the word is never near. Where that finds nothing, a
// candidate that begins with word is near, if it is the only one and word has three letters.
func Near(word string, candidates []string) (string, bool) {
	folded := []rune(strings.ToLower(word))
	best, bestEdits := "", maxEdits+1
	begins, beginning := 0, ""
	for _, candidate := range candidates {
		lower := strings.ToLower(candidate)
		if strings.HasPrefix(lower, string(folded)) && candidate != beginning {
			begins, beginning = begins+1, candidate
		}
		// The length is compared before the letters are: a name may be a URL of many kilobytes.
		n := utf8.RuneCountInString(lower)
		limit := allowed(len(folded), n)
		if n-len(folded) > limit || len(folded)-n > limit {
			continue
		}
		if e := edits(folded, []rune(lower)); e <= limit && e < bestEdits {
			best, bestEdits = candidate, e
		}
	}
	switch {
	case bestEdits <= maxEdits:
		return best, true
	case begins == 1 && len(folded) >= 3:
		return beginning, true
	}
	return "", false
}

// maxEdits is how many edits a long word may be away: more is another word.
const maxEdits = 3

// allowed is how many edits words of these lengths may be apart. It is always less than the
// longer length, so that something of the word is kept.
func allowed(a, b int) int {
	longer := max(a, b)
	return min(max(longer/3, 1), maxEdits, max(longer-1, 0))
}

// edits is the optimal string alignment distance: Levenshtein's, with a swap of two neighbours as
// one edit. A distance above maxEdits is answered as maxEdits+1: cells further than that from the
// diagonal cannot bring it back, so the cost is linear in the length of the words. Only the last
// three rows of the table are kept.
func edits(a, b []rune) int {
	const far = maxEdits + 1
	if len(a)-len(b) > maxEdits || len(b)-len(a) > maxEdits {
		return far
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		before[j], last[j], row[j] = far, min(j, far), far
	}
	for i := 1; i <= len(a); i++ {
		from, to := max(i-maxEdits, 1), min(i+maxEdits, len(b))
		row[from-1] = far // this slice was written three rows ago; what lies right of to never was
		if from == 1 {
			row[0] = min(i, far)
		}
		for j := from; j <= to; j++ {
			replace := last[j-1]
			if a[i-1] != b[j-1] {
				replace++
			}
			row[j] = min(replace, last[j]+1, row[j-1]+1, far)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
