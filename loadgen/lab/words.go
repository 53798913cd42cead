package lab

import (
	"strings"

	"scalableappbackend/internal/input"
)

// splitWords splits a command line into words as a shell does, without being one: blanks separate, single quotes keep
// everything, double quotes everything but \" \\ \$ and \`, a backslash the next character. Nothing is expanded; what only a
// shell can do (pipes, redirections, variables but $PORT) needs one: sh -c '…'.
func splitWords(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	inWord := false
	var quote rune
	escaped := false
	for _, r := range text {
		switch {
		case escaped:
			if quote == '"' && !strings.ContainsRune("\"\\$`\n", r) {
				word.WriteByte('\\')
			}
			if r != '\n' { // a line that goes on
				word.WriteRune(r)
			}
			escaped = false
		case r == '\\' && quote != '\'':
			escaped, inWord = true, true
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inWord = r, true
		case r == ' ' || r == '\t' || r == '\n' || r == '\r':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteRune(r)
			inWord = true
		}
	}
	switch {
	case quote != 0:
		return nil, &input.Error{Got: text, Want: "a command whose quotes are closed: " + string(quote) + " is missing"}
	case escaped:
		return nil, &input.Error{Got: text, Want: "a command that does not end in a backslash"}
	case inWord:
		words = append(words, word.String())
	}
	if len(words) == 0 || words[0] == "" {
		return nil, &input.Error{Want: `empty, want a command, e.g. "./api --port $PORT"`}
	}
	for _, w := range words {
		if strings.ContainsRune(w, 0) {
			return nil, &input.Error{Got: text, Want: "a command without NUL characters"}
		}
	}
	return words, nil
}

// fillPort puts the port where a word says $PORT or ${PORT}.
func fillPort(words []string, port string) []string {
	filled := make([]string, len(words))
	for i, w := range words {
		w = strings.ReplaceAll(w, "${PORT}", port)
		filled[i] = replaceName(w, "$PORT", port)
	}
	return filled
}

// replaceName replaces name where it ends: $PORTAL is another one.
func replaceName(s, name, value string) string {
	var out strings.Builder
	for {
		before, after, found := strings.Cut(s, name)
		out.WriteString(before)
		if !found {
			return out.String()
		}
		if after != "" && isNameByte(after[0]) {
			out.WriteString(name)
		} else {
			out.WriteString(value)
		}
		s = after
	}
}

func isNameByte(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}
