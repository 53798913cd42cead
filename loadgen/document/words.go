package document

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Clean makes text from outside fit for one line of a terminal: valid UTF-8, and nothing that moves
// the cursor, colours, or turns the direction of writing.
func Clean(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n' || r == '\r':
			return ' '
		case unicode.IsControl(r), unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp):
			return unicode.ReplacementChar
		}
		return r
	}, strings.ToValidUTF8(text, string(unicode.ReplacementChar)))
}

// Clip shortens text to at most n characters. It takes them out of the middle: of paths and host
// names both ends tell which it is.
func Clip(text string, n int) string {
	if utf8.RuneCountInString(text) <= n {
		return text
	}
	r := []rune(text)
	head := (n - 1) / 2
	return string(r[:head]) + "…" + string(r[len(r)-(n-1-head):])
}

// pad fills text to width: on the left when right is asked for.
func pad(text string, width int, right bool) string {
	fill := strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
	if right {
		return fill + text
	}
	return text + fill
}

// clipEnd cuts what is longer than n characters.
func clipEnd(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:max(n-1, 0)]) + "…"
	}
	return text
}

func length(text string) int { return utf8.RuneCountInString(text) }
