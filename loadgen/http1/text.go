package http1

import "math"

// isToken says which bytes a header name may hold: RFC 9110, 5.6.2.
var isToken = func() (t [256]bool) {
	for c := '0'; c <= 'z'; c++ {
		t[c] = c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a'
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] = true
	}
	return t
}()

// trimEOL cuts a line's end: LF, or CR LF.
func trimEOL(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == '\n' {
		line = line[:n-1]
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line
}

// isBlank reports whether a line, its line feed included, is empty.
func isBlank(line []byte) bool { return len(line) == 1 || len(line) == 2 && line[0] == '\r' }

// trimRight cuts blanks off the end.
func trimRight(s []byte) []byte {
	for len(s) > 0 && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// trimBlanks cuts blanks off both ends.
func trimBlanks(s []byte) []byte {
	s = trimRight(s)
	for len(s) > 0 && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	return s
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		c |= 0x20
	}
	return c
}

// equalFold compares with an ASCII text in lower case.
func equalFold(s []byte, text string) bool {
	if len(s) != len(text) {
		return false
	}
	for i := range s {
		if lower(s[i]) != text[i] {
			return false
		}
	}
	return true
}

// hasToken reports whether a list such as "keep-alive, Upgrade" holds a token.
func hasToken(list []byte, token string) bool {
	for len(list) > 0 {
		item := list
		for i, c := range list {
			if c == ',' {
				item = list[:i]
				break
			}
		}
		if equalFold(trimBlanks(item), token) {
			return true
		}
		list = list[min(len(list), len(item)+1):]
	}
	return false
}

// parseLength reads a Content-Length: decimal digits alone, below 2^63.
func parseLength(s []byte) (int64, bool) {
	if len(s) == 0 {
		return 0, false
	}
	var n int64
	for _, c := range s {
		if c < '0' || c > '9' || n > (math.MaxInt64-int64(c-'0'))/10 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	default:
		return -1
	}
}
