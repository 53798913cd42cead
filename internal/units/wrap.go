package units

import (
	"strings"
	"unicode/utf8"
)

// Wrap breaks text into lines of at most width characters at spaces, but not between a number and
// its unit. A longer word stands alone.
func Wrap(text string, width int) []string {
	var words []string
	for word := range strings.FieldsSeq(text) {
		if last := len(words) - 1; last >= 0 && isUnit(word) && endsInDigit(words[last]) {
			words[last] += " " + word
		} else {
			words = append(words, word)
		}
	}
	var lines []string
	line, length := "", 0
	for _, word := range words {
		n := utf8.RuneCountInString(word)
		if length > 0 && length+1+n > width {
			lines = append(lines, line)
			line, length = "", 0
		}
		if length > 0 {
			line += " "
			length++
		}
		line += word
		length += n
	}
	return append(lines, line)
}

func isUnit(word string) bool {
	switch strings.TrimRight(word, ".,;:)") {
	case "%", "ms", "s", "h", "B", "KiB", "MiB", "GiB", "TiB":
		return true
	}
	return false
}

func endsInDigit(word string) bool {
	last := word[len(word)-1]
	return '0' <= last && last <= '9'
}
