package plan

import (
	"maps"
	"net/http"
	"slices"
	"strings"
)

const wantReference = "${NAME} of letters, digits and _, or $${ for a literal ${"

// eachPart splits text at its references: literal gets the text between them, with $${ as ${, and
// reference the names, in order. It returns the first ${ that begins no reference, or "".
func eachPart(text string, literal, reference func(string)) (bad string) {
	for {
		i := strings.Index(text, "${")
		if i < 0 {
			literal(text)
			return ""
		}
		if i > 0 && text[i-1] == '$' {
			literal(text[:i-1])
			literal("${")
			text = text[i+len("${"):]
			continue
		}
		name, rest, closed := strings.Cut(text[i+len("${"):], "}")
		if !closed || !isName(name) {
			return text[i : i+badEnd(text[i:])]
		}
		literal(text[:i])
		reference(name)
		text = rest
	}
}

// badEnd is how much of text, which begins with a malformed reference, is shown: no more than the
// reference, because a secret may follow.
func badEnd(text string) int {
	end := indexAny(text, "} \t/?#&;:=@,\"'")
	if end < len(text) && text[end] == '}' {
		end++
	}
	return end
}

// isName reports whether s may name an environment variable.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c == '_'
		if !letter && (i == 0 || c < '0' || '9' < c) {
			return false
		}
	}
	return s != ""
}

// fill replaces the references of text, which are well formed, by what lookup says, and returns the
// names that it does not know.
func fill(text string, lookup func(string) (string, bool)) (filled string, unset []string) {
	if !strings.Contains(text, "${") {
		return text, nil
	}
	var b strings.Builder
	eachPart(text, func(s string) { b.WriteString(s) }, func(name string) {
		value, ok := lookup(name)
		if !ok {
			unset = append(unset, name)
		}
		b.WriteString(value)
	})
	return b.String(), unset
}

// probe replaces the references of text by a character that may stand anywhere in a URL, so that
// what surrounds them can be checked; bad is the first ${ that begins no reference.
func probe(text string) (filled, bad string) {
	var b strings.Builder
	bad = eachPart(text, func(s string) { b.WriteString(s) }, func(string) { b.WriteByte('1') })
	return b.String(), bad
}

// onlyReferences reports whether text holds nothing but references, apart from characters in also.
func onlyReferences(text, also string) bool {
	only := true
	bad := eachPart(text, func(s string) { only = only && strings.Trim(s, also) == "" }, func(string) {})
	return bad == "" && only
}

// References are the names of the variables that the plan's targets and headers refer to, each once, in order of their first use.
func (p *Plan) References() []string {
	var names []string
	seen := map[string]bool{}
	in := func(text string) {
		eachPart(text, func(string) {}, func(name string) {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		})
	}
	header := func(h http.Header) {
		for _, name := range slices.Sorted(maps.Keys(h)) {
			for _, value := range h[name] {
				in(value)
			}
		}
	}
	header(p.Client.Header)
	for i := range p.Targets {
		in(p.Targets[i].URL)
		header(p.Targets[i].Header)
	}
	return names
}
