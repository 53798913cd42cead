package plan

import (
	"net/url"
	"strconv"
	"strings"

	"scalableappbackend/internal/input"
	"scalableappbackend/internal/near"
)

const (
	wantURL  = "a URL that begins with http:// or https://, or a path that begins with /"
	wantHost = "a base URL, e.g. http://localhost:8080"
)

// address is the text of a URL taken apart without judging it: references may stand anywhere, and
// what is not a URL still has parts. The fields joined are the text.
type address struct {
	scheme   string // with "://"; empty when there is none
	userinfo string // with "@"
	host     string // with the port
	path     string
	query    string // with "?", and the fragment
}

func splitURL(text string) address {
	a := address{scheme: schemeOf(text)}
	rest := text[len(a.scheme):]
	end := indexAny(rest, "/?#")
	at := strings.LastIndexByte(rest[:end], '@')
	if end > 0 && !isHost(rest[at+1:end]) {
		// A password with a raw / ? or # cuts the host short: what stands before it is no host.
		at = strings.LastIndexByte(rest, '@')
	}
	a.userinfo, rest = rest[:at+1], rest[at+1:]
	end = indexAny(rest, "/?#")
	a.host, rest = rest[:end], rest[end:]
	end = indexAny(rest, "?#")
	a.path, a.query = rest[:end], rest[end:]
	return a
}

// schemeOf is the scheme that text begins with, "://" included, or "".
func schemeOf(text string) string {
	if scheme, _, found := strings.Cut(text, "://"); found && !strings.ContainsAny(scheme, "/?#@") {
		return scheme + "://"
	}
	// A path may begin with two slashes, but with userinfo behind them a host is meant.
	if rest, found := strings.CutPrefix(text, "//"); found && strings.Contains(rest[:indexAny(rest, "/?#")], "@") {
		return "//"
	}
	return ""
}

// indexAny is strings.IndexAny, but the length of s when there is none.
func indexAny(s, chars string) int {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return i
	}
	return len(s)
}

// isHost reports whether text is a host whose port, if there is one, is a number or a reference.
func isHost(text string) bool {
	probed, bad := probe(text)
	if bad != "" {
		return false
	}
	_, err := url.Parse("http://" + escapeHost(probed))
	return err == nil
}

// CheckURL returns what is wrong with the URL of a target, or a path, whose references stand unfilled.
func CheckURL(text string) error {
	if e := checkURL(text); e != nil {
		return e
	}
	return nil
}

// checkURL says what is wrong with the URL of a target, whose references stand unfilled; nil when
// nothing is.
func checkURL(text string) *input.Error {
	probed, bad := probe(text)
	if bad != "" {
		return input.Refuse(bad, wantReference)
	}
	if strings.HasPrefix(Trim(text), "${") {
		return nil // may be anything until it is filled
	}
	return checkFilledURL(probed, text)
}

// checkFilledURL is checkURL for a text without references; errors show what it was made of, without secrets.
func checkFilledURL(text, from string) *input.Error {
	if text = escapeURL(text); strings.HasPrefix(text, "/") {
		if _, err := url.ParseRequestURI(text); err != nil {
			return input.Refuse(RedactURL(from), "a path without control characters")
		}
		return nil
	}
	_, e := parseAbsolute(text, from, wantURL)
	return e
}

// parseAbsolute reads an http or https URL with a host, as escapeURL has it. Errors show what it was made of, without
// secrets.
func parseAbsolute(text, from, want string) (*url.URL, *input.Error) {
	text = escapeURL(text)
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Hostname() == "" {
		shown := RedactURL(from)
		e := input.Refuse(shown, want)
		if text != "" && !strings.Contains(text, "://") && !strings.HasPrefix(text, "/") && isHost(text) {
			e.Hint = "did you mean http://" + shown + "?"
			if meant, ok := near.Near(shown, []string{Embedded}); ok && want == wantHost {
				e.Hint = "did you mean " + meant + "?"
			}
		}
		return nil, e
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return nil, input.Refuse(RedactURL(from), "a port from 1 to 65535")
		}
	}
	return u, nil
}

// checkHost says what is wrong with a base URL, which takes no references; nil when nothing is.
func checkHost(text string) *input.Error {
	if text = Trim(text); text == Embedded {
		return nil
	}
	if _, e := parseAbsolute(text, text, wantHost); e != nil {
		return e
	}
	if strings.ContainsAny(text, "?#") {
		return input.Refuse(RedactURL(text), wantHost+", without a query or a fragment")
	}
	return nil
}

// Origin is the beginning of a URL that names a host: scheme, userinfo, host and port. It is empty for a path, and for
// what is no URL. References may stand in it.
func Origin(text string) string {
	text = Trim(text)
	a := splitURL(text)
	if a.scheme == "" || a.host == "" || strings.HasPrefix(text, "/") {
		return ""
	}
	return a.scheme + a.userinfo + a.host
}

// resolve is a target's filled URL as sent: itself, or below the base URL, whose path is kept.
func resolve(base, text string) string {
	if strings.HasPrefix(text, "/") {
		return strings.TrimRight(Trim(base), "/") + text
	}
	return text
}
