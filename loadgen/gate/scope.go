package gate

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// cutScope takes "{…}:" off the front of s. Nothing after a scope holds a brace, so the last one
// ends it, whatever the name of the endpoint holds. want is empty, or what is accepted.
func cutScope(s string) (endpoint, phase, rest, want string) {
	if !strings.HasPrefix(s, "{") {
		return "", "", s, ""
	}
	end := strings.LastIndexByte(s, '}')
	if end < 0 {
		return "", "", s, "a } at the end of the scope, e.g. {GET /}:p(95)<20ms"
	}
	rest, ok := strings.CutPrefix(strings.TrimSpace(s[end+1:]), ":")
	if !ok {
		return "", "", s, "a : after the scope, e.g. {GET /}:p(95)<20ms"
	}
	endpoint, phase, want = parseScope(s[1:end])
	return endpoint, phase, strings.TrimSpace(rest), want
}

const wantScope = "an endpoint, a phase or both in the braces, e.g. {GET /}, {phase:steady} or {GET /,phase:steady}"

// parseScope reads what stands between the braces.
func parseScope(s string) (endpoint, phase, want string) {
	s = strings.TrimSpace(s)
	name, hasPhase, hasEndpoint := s, false, true
	if q, err := strconv.QuotedPrefix(s); err == nil && s[0] == '"' && quotedAlone(s[len(q):]) {
		name = q
		phase, hasPhase = cutPhase(strings.TrimPrefix(strings.TrimSpace(s[len(q):]), ","))
	} else if p, ok := cutPhase(s); ok {
		phase, hasPhase, hasEndpoint = p, true, false
	} else if i := strings.LastIndexByte(s, ','); i >= 0 {
		if p, ok := cutPhase(s[i+1:]); ok {
			name, phase, hasPhase = s[:i], p, true
			if first, _, _ := strings.Cut(name, ","); isPhase(first) {
				return "", "", "one phase in a scope; the name of an endpoint that begins with phase: in quotes"
			}
		} else if first, after, _ := strings.Cut(s, ","); isPhase(first) {
			phase, hasPhase = cutPhase(first)
			name = after
		}
	}
	if hasPhase && phase == "" {
		return "", "", "a name after phase:, e.g. {phase:steady}"
	}
	if !hasEndpoint {
		return "", phase, ""
	}
	endpoint = strings.TrimSpace(name)
	if unquoted, err := strconv.Unquote(endpoint); err == nil && endpoint[0] == '"' {
		endpoint = unquoted
	}
	if endpoint == "" {
		return "", "", wantScope
	}
	return endpoint, phase, ""
}

// quotedAlone says whether what follows a quoted string leaves it an item of its own.
func quotedAlone(after string) bool {
	after = strings.TrimSpace(after)
	item, comma := strings.CutPrefix(after, ",")
	return after == "" || comma && isPhase(item)
}

// cutPhase reads "phase:NAME". A name holds no comma, brace or quote; it may be empty, which is for the
// caller to refuse.
func cutPhase(item string) (name string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(item), "phase")
	if !ok {
		return "", false
	}
	rest, ok = strings.CutPrefix(strings.TrimSpace(rest), ":")
	if !ok || strings.ContainsAny(rest, `,{}"`) {
		return "", false
	}
	return strings.TrimSpace(rest), true
}

func isPhase(item string) bool {
	_, ok := cutPhase(item)
	return ok
}

// scopeText writes a scope that cutScope reads back. The name is quoted where reading it back bare
// would give something else, so that the two cannot drift apart.
func scopeText(endpoint, phase string) string {
	if endpoint == "" && phase == "" {
		return ""
	}
	in := func(name string) string {
		switch {
		case endpoint == "":
			return "phase:" + phase
		case phase == "":
			return name
		}
		return name + ",phase:" + phase
	}
	bare := in(endpoint)
	if e, p, want := parseScope(bare); want == "" && e == endpoint && p == phase && printable(endpoint) {
		return "{" + bare + "}:"
	}
	return "{" + in(strconv.Quote(endpoint)) + "}:"
}

// printable says whether a name can stand in one line as it is.
func printable(name string) bool {
	return utf8.ValidString(name) && strings.IndexFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// shown is a name as messages and details hold it: bare where that is one line.
func shown(name string) string {
	if printable(name) {
		return name
	}
	return strconv.Quote(name)
}
